package bundled

// step is one change of a table, by the five lists of the configuration.
type step struct {
	list  func(targets) []string
	t     targets
	apply func(p pair)
}

// run applies the pairs of each step in order.
func run(steps []step, e *env) error {
	for _, s := range steps {
		pairs, err := rendered(s.list(s.t), e)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			s.apply(p)
		}
	}
	return nil
}
