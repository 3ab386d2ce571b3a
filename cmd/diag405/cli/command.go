package cli

// Command is something that diag405 does.
type Command struct {
	Name, Summary string
	Run           func(args []string, std Streams) int // returns the exit code
}
