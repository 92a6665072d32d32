package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"supercargo/scanner/pkg/name"
)

// referenceAnswer reads an image name as the scanner does. It is no operation of `eval batch`.
//
// It uses the version of go-containerregistry that the observed cases were made with; the setters use an older one.
//
// Source: image-reflector-controller, internal/registry/helper.go.
func referenceAnswer(line []byte) (answer, error) {
	var request struct {
		Image    string `json:"image"`
		Insecure bool   `json:"insecure"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	image := request.Image
	if scheme, _, found := strings.Cut(image, "://"); found {
		return unread("image '%s' should not include URL scheme; remove '%s://'", image, scheme), nil
	}
	var options []name.Option
	if request.Insecure {
		options = append(options, name.Insecure)
	}
	reference, err := name.ParseReference(image, options...)
	if err != nil {
		return unread("%s", err), nil
	}
	context := reference.Context()
	if rest := strings.Split(strings.TrimPrefix(image, context.RegistryStr()), ":"); len(rest) > 1 {
		return unread("image '%s' should not include a tag; remove ':%s'", image, rest[1]), nil
	}
	return answer{"error": nil, "canonical": context.String(), "scheme": context.Scheme()}, nil
}

func unread(format string, arguments ...any) answer {
	return answer{"error": fmt.Sprintf(format, arguments...), "canonical": nil, "scheme": nil}
}
