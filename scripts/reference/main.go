// Reference answers the requests of `supercargo eval batch` with the Go libraries that Flux's controllers stand on, so
// that the two can be compared answer by answer: JSON lines on standard input, JSON lines on standard output, in order.
//
// Each operation has a file of its own. What the controllers keep in packages that cannot be imported is written down
// again here in the few lines it takes; where they walk a map, the order is the one that `eval batch` documents.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// An answer is printed as a JSON object.
type answer map[string]any

// operations maps the value of "op" to what answers it. An error says that the request itself cannot be understood.
var operations = map[string]func(request []byte) (answer, error){
	"policy":    policyAnswer,
	"regex":     regexAnswer,
	"semver":    semverAnswer,
	"set-flux":  fluxSetAnswer,
	"reference": referenceAnswer,
	"template":  templateAnswer,
}

func main() {
	// Controllers run where there is no time zone: local time is UTC.
	err := os.Setenv("TZ", "")
	if err == nil {
		err = run(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 || arguments[0] != asWorker {
		return supervise(os.Stdin, os.Stdout)
	}
	if err := limitMemory(); err != nil {
		return err
	}
	return serve(os.Stdin, os.Stdout)
}

func serve(input io.Reader, output io.Writer) error {
	watch := startWatch()
	// Each answer is out before the next request is begun, which may be this process's last.
	return eachLine(bufio.NewReaderSize(input, 1<<20), func(line []byte) error {
		var encoded bytes.Buffer
		encoder := json.NewEncoder(&encoded)
		encoder.SetEscapeHTML(false)
		var err error
		watch.over(func() { err = encoder.Encode(respond(line)) })
		if err != nil {
			return err
		}
		_, err = encoded.WriteTo(output)
		return err
	})
}

// eachLine calls do with each line that is not blank, without its end.
func eachLine(reader *bufio.Reader, do func(line []byte) error) error {
	for {
		line, readErr := reader.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := do(line); err != nil {
				return err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return nil
		}
		if readErr != nil {
			return readErr
		}
	}
}

func respond(line []byte) answer {
	var head struct {
		Op string          `json:"op"`
		ID json.RawMessage `json:"id"`
	}
	result, err := answer(nil), json.Unmarshal(line, &head)
	if err == nil {
		if operation, known := operations[head.Op]; known {
			result, err = operation(line)
		} else {
			err = fmt.Errorf("unknown op %q", head.Op)
		}
	}
	if err != nil {
		result = answer{"request_error": err.Error()}
	}
	if head.ID != nil {
		result["id"] = head.ID
	}
	return result
}
