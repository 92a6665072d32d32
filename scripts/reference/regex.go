package main

import (
	"encoding/json"
	"regexp"
)

func regexAnswer(line []byte) (answer, error) {
	var request struct {
		Pattern   string   `json:"pattern"`
		Haystacks []string `json:"haystacks"`
		Template  *string  `json:"template"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	result := answer{"error": nil, "names": nil, "matches": nil}
	if request.Template != nil {
		result["expanded"] = nil
	}
	pattern, err := regexp.Compile(request.Pattern)
	if err != nil {
		result["error"] = err.Error()
		return result, nil
	}
	matches := make([][]int, len(request.Haystacks))
	expanded := make([]*string, len(request.Haystacks))
	for i, haystack := range request.Haystacks {
		matches[i] = pattern.FindStringSubmatchIndex(haystack)
		if request.Template != nil && matches[i] != nil {
			text := string(pattern.ExpandString(nil, *request.Template, haystack, matches[i]))
			expanded[i] = &text
		}
	}
	result["names"], result["matches"] = pattern.SubexpNames(), matches
	if request.Template != nil {
		result["expanded"] = expanded
	}
	return result, nil
}
