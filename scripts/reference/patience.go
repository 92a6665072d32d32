package main

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// patience is how much processor time a request may take. The clock would not do: on a busy machine a worker waits for long.
const patience = 10 * time.Second

// outOfPatience is the exit code of a worker whose request takes more.
const outOfPatience = 3

// A watch ends this process where one piece of work takes too long.
type watch struct {
	mutex   sync.Mutex
	working bool
	begun   time.Duration
}

// startWatch returns a watch that looks ten times a second.
func startWatch() *watch {
	w := &watch{}
	go func() {
		for range time.Tick(patience / 100) {
			w.look()
		}
	}()
	return w
}

func (w *watch) look() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.working && processorTime()-w.begun > patience {
		os.Exit(outOfPatience)
	}
}

// over does the work, which is behind it when this returns: nothing that is done is ended any more.
func (w *watch) over(work func()) {
	w.set(true)
	work()
	w.set(false)
}

func (w *watch) set(working bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.working, w.begun = working, processorTime()
}

// processorTime is what this process has taken so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
