package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// A request may take so long, and its worker so much address space; nothing that a message or a policy needs comes near.
const (
	patience    = 10 * time.Second
	addressable = 3 << 30
)

// asWorker is the argument with which the program starts itself to answer.
const asWorker = "worker"

// tooBig is answered for a request that ended its worker.
var tooBig = []byte("{\"too_big\":true}\n")

// window is how many requests a worker may have before it.
const window = 64

// A worker is this program once more, which answers requests in order and can be ended: Go can stop no goroutine, and
// some templates never end.
type worker struct {
	command  *exec.Cmd
	requests chan []byte
	answers  *bufio.Reader
}

func startWorker() (*worker, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(own, asWorker)
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w := &worker{command, make(chan []byte, window), bufio.NewReaderSize(answers, 1<<20)}
	go w.feed(input)
	return w, command.Start()
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
	timer := time.AfterFunc(patience, func() { _ = w.command.Process.Kill() })
	defer timer.Stop()
	answer, err := w.answers.ReadBytes('\n')
	if err != nil {
		return nil
	}
	return answer
}

func (w *worker) end() {
	close(w.requests)
	_ = w.command.Wait()
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
	defer func() { current.end() }()
	var open [][]byte
	for {
		if open, err = fill(open, lines, current, writer); err != nil || len(open) == 0 {
			return err
		}
		answer := current.answer()
		if answer == nil {
			answer = tooBig
			current.end()
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
