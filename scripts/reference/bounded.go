package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// A worker is this program once more, which answers one request at a time and can be ended: Go can stop no goroutine,
// and some templates never end.
type worker struct {
	command  *exec.Cmd
	requests io.WriteCloser
	answers  *bufio.Reader
}

func startWorker() (*worker, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(own, asWorker)
	requests, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &worker{command, requests, bufio.NewReaderSize(answers, 1<<20)}, command.Start()
}

// ask returns the answer to a line, nil if the worker did not live to give it.
func (w *worker) ask(line []byte) []byte {
	timer := time.AfterFunc(patience, func() { _ = w.command.Process.Kill() })
	defer timer.Stop()
	if _, err := w.requests.Write(line); err != nil {
		return nil
	}
	answer, err := w.answers.ReadBytes('\n')
	if err != nil {
		return nil
	}
	return answer
}

func (w *worker) end() {
	_ = w.requests.Close()
	_ = w.command.Wait()
}

// supervise has each line of the input answered by a worker, a new one where the last did not survive its request.
func supervise(input io.Reader, output io.Writer) error {
	reader := bufio.NewReaderSize(input, 1<<20)
	writer := bufio.NewWriterSize(output, 1<<20)
	current, err := startWorker()
	if err != nil {
		return err
	}
	defer func() { current.end() }()
	return eachLine(reader, func(line []byte) error {
		answer := current.ask(append(line, '\n'))
		if answer == nil {
			current.end()
			if current, err = startWorker(); err != nil {
				return err
			}
			answer = tooBig
		}
		_, err := writer.Write(answer)
		return flushed(err, reader, writer)
	})
}

// limitMemory makes an allocation beyond the limit the end of this process.
func limitMemory() error {
	limit := syscall.Rlimit{Cur: addressable, Max: addressable}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return fmt.Errorf("limiting memory: %w", err)
	}
	return nil
}
