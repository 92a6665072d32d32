package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// A worker may take so much address space; nothing that a message or a policy needs comes near.
const addressable = 3 << 30

// asWorker is the argument with which the program starts itself to answer.
const asWorker = "worker"

// window is how many requests a worker may have before it.
const window = 64

// A worker is this program once more, which answers requests in order and can be ended: Go can stop no goroutine, and
// some templates never end.
type worker struct {
	command  *exec.Cmd
	requests chan []byte
	answers  *bufio.Reader
	// errors is what it said last.
	errors bytes.Buffer
}

func startWorker() (*worker, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{command: exec.Command(own, asWorker), requests: make(chan []byte, window)}
	w.command.Stderr = &w.errors
	input, err := w.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := w.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.answers = bufio.NewReaderSize(answers, 1<<20)
	go w.feed(input)
	return w, w.command.Start()
}

// feed hands requests on until there are no more, or the worker takes none any more.
func (w *worker) feed(input io.WriteCloser) {
	for line := range w.requests {
		if _, err := input.Write(line); err != nil {
			break
		}
	}
	_ = input.Close()
}

// answer returns the answer to the first request that has none yet, nil if the worker did not live to give it.
func (w *worker) answer() []byte {
	answer, err := w.answers.ReadBytes('\n')
	if err != nil {
		return nil
	}
	return answer
}

// end takes no more answers, and returns how the worker ended.
func (w *worker) end() error {
	close(w.requests)
	return w.command.Wait()
}

// An end is why a request has no answer: it is more than a worker may take, or something that is not the request's fault
// ended the worker, such as a machine without memory.
type end struct {
	TooBig string `json:"too_big,omitempty"`
	Lost   string `json:"lost,omitempty"`
}

// tooSlow is the end of a request that a worker has no patience for.
var tooSlow = end{TooBig: fmt.Sprintf("%v of processor time", patience)}

// beyondMemory is what Go says first where a worker needs more memory or a deeper stack than it may have.
var beyondMemory = [][]byte{
	[]byte("fatal error: runtime: out of memory"),
	[]byte("fatal error: runtime: cannot allocate memory"),
	[]byte("fatal error: out of memory"),
	[]byte("fatal error: stack overflow"),
}

// ended says why a worker did not live to answer.
func (w *worker) ended() end {
	state := w.end()
	if exit := (*exec.ExitError)(nil); errors.As(state, &exit) && exit.ExitCode() == outOfPatience {
		return tooSlow
	}
	for _, words := range beyondMemory {
		if bytes.Contains(w.errors.Bytes(), words) {
			return end{TooBig: string(words)}
		}
	}
	said, _, _ := bytes.Cut(w.errors.Bytes(), []byte("\n"))
	return end{Lost: fmt.Sprintf("the worker ended: %v: %s", state, said)}
}

// supervise has each line of the input answered by a worker. Where one did not survive a request, another goes on behind it.
func supervise(input io.Reader, output io.Writer) error {
	lines, failed := make(chan []byte, window), make(chan error, 1)
	go func() {
		defer close(lines)
		failed <- eachLine(bufio.NewReaderSize(input, 1<<20), func(line []byte) error {
			lines <- append(slices.Clone(line), '\n')
			return nil
		})
	}()
	writer := bufio.NewWriterSize(output, 1<<20)
	if err := answerAll(lines, writer); err != nil {
		return err
	}
	return errors.Join(<-failed, writer.Flush())
}

func answerAll(lines <-chan []byte, writer *bufio.Writer) error {
	current, err := startWorker()
	if err != nil {
		return err
	}
	var open [][]byte
	for {
		if open, err = fill(open, lines, current, writer); err != nil || len(open) == 0 {
			return errors.Join(err, current.end())
		}
		answer := current.answer()
		if answer == nil {
			why := current.ended()
			if answer, err = alone(open[0], why); err != nil {
				return err
			}
			if current, err = startWorker(); err != nil {
				return err
			}
			for _, line := range open[1:] {
				current.requests <- line
			}
		}
		open = open[1:]
		if _, err := writer.Write(answer); err != nil {
			return err
		}
	}
}

// alone has a request answered by a worker of its own, after it ended another for the reason why: what came before it may have
// left that one without memory. If it ends this one too, its answer is the reason.
func alone(request []byte, why end) ([]byte, error) {
	if why != tooSlow {
		w, err := startWorker()
		if err != nil {
			return nil, err
		}
		w.requests <- request
		if answer := w.answer(); answer != nil {
			return answer, w.end()
		}
		why = w.ended()
	}
	answer, err := json.Marshal(why)
	return append(answer, '\n'), err
}

// fill gives the worker what there is to do, and waits for it, all answers flushed, only where nothing is under way.
func fill(open [][]byte, lines <-chan []byte, w *worker, writer *bufio.Writer) ([][]byte, error) {
	for len(open) < window {
		select {
		case line, more := <-lines:
			if !more {
				return open, nil
			}
			open = append(open, line)
			w.requests <- line
			continue
		default:
		}
		if len(open) > 0 {
			return open, nil
		}
		if err := writer.Flush(); err != nil {
			return nil, err
		}
		line, more := <-lines
		if !more {
			return nil, nil
		}
		open = append(open, line)
		w.requests <- line
	}
	return open, nil
}

// limitMemory makes an allocation beyond the limit the end of this process.
func limitMemory() error {
	limit := syscall.Rlimit{Cur: addressable, Max: addressable}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return fmt.Errorf("limiting memory: %w", err)
	}
	return nil
}
