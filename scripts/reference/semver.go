package main

import (
	"encoding/json"

	"github.com/Masterminds/semver/v3"
	"github.com/fluxcd/pkg/version"
)

func semverAnswer(line []byte) (answer, error) {
	var request struct {
		Range    string   `json:"range"`
		Versions []string `json:"versions"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	constraints, err := semver.NewConstraint(request.Range)
	if err != nil {
		return answer{"error": err.Error(), "results": nil}, nil
	}
	results := make([]*bool, len(request.Versions))
	for i, text := range request.Versions {
		if parsed, err := version.ParseVersion(text); err == nil {
			satisfied := constraints.Check(parsed)
			results[i] = &satisfied
		}
	}
	return answer{"error": nil, "results": results}, nil
}
