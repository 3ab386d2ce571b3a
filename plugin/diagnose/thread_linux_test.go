package diagnose

import (
	"runtime"
	"syscall"
	"time"
)

// threadTime is the processor time that a function takes: it does not grow while others
// have the processor.
func threadTime(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun := spent()
	f()
	return spent() - begun
}

// spent is what the thread has had of a processor.
func spent() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD in getrusage(2)
	var used syscall.Rusage
	if err := syscall.Getrusage(thisThread, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
