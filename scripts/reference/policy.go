package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/fluxcd/pkg/version"
)

type policyRequest struct {
	Policy struct {
		SemVer       *struct{ Range string } `json:"semver"`
		Alphabetical *struct{ Order string } `json:"alphabetical"`
		Numerical    *struct{ Order string } `json:"numerical"`
	} `json:"policy"`
	FilterTags *struct{ Pattern, Extract string } `json:"filterTags"`
	Exclude    []string                           `json:"exclude"`
	Tags       []string                           `json:"tags"`
}

// A policer selects one of several candidates, which it visits in the order given.
type policer func(candidates []string) (string, error)

// policyAnswer does what the controller does from a finished listing to a verdict.
func policyAnswer(line []byte) (answer, error) {
	var request policyRequest
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	kept, err := withoutExcluded(request.Tags, request.Exclude)
	if err != nil {
		return failed(fmt.Errorf("scan failed: %w", err), false), nil
	}
	sort.Sort(sort.Reverse(sort.StringSlice(kept)))
	elect, err := newPolicer(&request)
	if err != nil {
		return failed(fmt.Errorf("invalid policy: %w", err), true), nil
	}
	if len(kept) == 0 {
		return failed(errors.New("no tags in database"), false), nil
	}
	candidates, originals, err := filtered(&request, kept)
	if err != nil {
		return failed(fmt.Errorf("failed to filter tags: %w", err), true), nil
	}
	latest, err := elect(slices.Clone(candidates))
	if err != nil {
		return failed(err, false), nil
	}
	// Without a filter the controller walks a list, and there is but one answer.
	tie := request.FilterTags != nil && couldElectAnother(elect, candidates, latest)
	tag := originals[latest]
	return answer{"latest": answer{"tag": tag}, "error": nil, "stalled": false, "tie": tie}, nil
}

func failed(err error, stalled bool) answer {
	return answer{"latest": nil, "error": err.Error(), "stalled": stalled, "tie": false}
}

// Source: image-reflector-controller, internal/controller/imagerepository_controller.go (filterOutTags).
func withoutExcluded(tags, patterns []string) ([]string, error) {
	compiled := make([]*regexp.Regexp, len(patterns))
	for i, pattern := range patterns {
		var err error
		if compiled[i], err = regexp.Compile(pattern); err != nil {
			return nil, fmt.Errorf("failed to compile regex %s: %w", pattern, err)
		}
	}
	kept := []string{}
	for _, tag := range tags {
		excluded := func(pattern *regexp.Regexp) bool { return pattern.MatchString(tag) }
		if !slices.ContainsFunc(compiled, excluded) {
			kept = append(kept, tag)
		}
	}
	return kept, nil
}

// Source: image-reflector-controller, internal/policy/filter.go. The candidates come in descending order of their tags.
func filtered(request *policyRequest, tags []string) (candidates []string, originals map[string]string, err error) {
	originals = map[string]string{}
	filter := request.FilterTags
	if filter == nil {
		for _, tag := range tags {
			originals[tag] = tag
		}
		return tags, originals, nil
	}
	pattern, err := regexp.Compile(filter.Pattern)
	if err != nil {
		return nil, nil, fmt.Errorf("invalid regular expression pattern '%s': %w", filter.Pattern, err)
	}
	for _, tag := range tags {
		match := pattern.FindStringSubmatchIndex(tag)
		if len(match) == 0 {
			continue
		}
		key := tag
		if filter.Extract != "" {
			key = string(pattern.ExpandString(nil, filter.Extract, tag, match))
		}
		originals[key] = tag
	}
	for key := range originals {
		candidates = append(candidates, key)
	}
	sort.Slice(candidates, func(i, j int) bool { return originals[candidates[i]] > originals[candidates[j]] })
	return candidates, originals, nil
}

// Source: image-reflector-controller, internal/policy/factory.go.
func newPolicer(request *policyRequest) (policer, error) {
	choice := request.Policy
	switch {
	case choice.SemVer != nil:
		return semverPolicer(choice.SemVer.Range)
	case choice.Alphabetical != nil:
		return orderPolicer(choice.Alphabetical.Order, alphabetically)
	case choice.Numerical != nil:
		return orderPolicer(choice.Numerical.Order, numerically)
	default:
		return nil, errors.New("given ImagePolicyChoice object is invalid")
	}
}

var errEmptyList = errors.New("version list argument cannot be empty")

// Source: image-reflector-controller, internal/policy/semver.go.
func semverPolicer(spelled string) (policer, error) {
	constraints, err := semver.NewConstraint(spelled)
	if err != nil {
		return nil, err
	}
	return func(candidates []string) (string, error) {
		if len(candidates) == 0 {
			return "", errEmptyList
		}
		var latest *semver.Version
		for _, candidate := range candidates {
			parsed, err := version.ParseVersion(candidate)
			if err == nil && constraints.Check(parsed) && (latest == nil || parsed.GreaterThan(latest)) {
				latest = parsed
			}
		}
		if latest == nil {
			return "", errors.New("unable to determine latest version from provided list")
		}
		return latest.Original(), nil
	}, nil
}

func orderPolicer(order string, elect func(candidates []string, descending bool) (string, error)) (policer, error) {
	order = strings.ToUpper(order)
	if order != "" && order != "ASC" && order != "DESC" {
		return nil, fmt.Errorf("invalid order argument provided: '%s', must be one of: ASC, DESC", order)
	}
	return func(candidates []string) (string, error) {
		if len(candidates) == 0 {
			return "", errEmptyList
		}
		return elect(candidates, order == "DESC")
	}, nil
}

// Source: image-reflector-controller, internal/policy/alphabetical.go.
func alphabetically(candidates []string, descending bool) (string, error) {
	if descending {
		return slices.Min(candidates), nil
	}
	return slices.Max(candidates), nil
}

// Source: image-reflector-controller, internal/policy/numerical.go.
func numerically(candidates []string, descending bool) (string, error) {
	latest, best := "", 0.0
	for i, candidate := range candidates {
		number, err := strconv.ParseFloat(candidate, 64)
		if err != nil {
			return "", fmt.Errorf("failed to parse invalid numeric value '%s'", candidate)
		}
		if i > 0 && (!descending && number < best || descending && number > best) {
			continue
		}
		latest, best = candidate, number
	}
	return latest, nil
}

// So many candidates are tried in every order; of more, in enough orders to bring each of them to power if any can.
const everyOrder = 5

// couldElectAnother tells whether some order of the candidates makes another one win.
func couldElectAnother(elect policer, candidates []string, latest string) bool {
	other := func(order []string) bool {
		elected, err := elect(slices.Clone(order))
		return err == nil && elected != latest
	}
	if len(candidates) <= everyOrder {
		return anyOrder(slices.Clone(candidates), 0, other)
	}
	for i := range candidates {
		// The first of equals wins, or the last of them, or the last behind one that compares with none.
		rest := slices.Delete(slices.Clone(candidates), i, i+1)
		if other(append([]string{candidates[i]}, rest...)) || other(append(slices.Clone(rest), candidates[i])) {
			return true
		}
		for j := range rest {
			order := append(slices.Delete(slices.Clone(rest), j, j+1), rest[j], candidates[i])
			if other(order) {
				return true
			}
		}
	}
	return false
}

// anyOrder tries all permutations of order[fixed:].
func anyOrder(order []string, fixed int, holds func([]string) bool) bool {
	if fixed+1 >= len(order) {
		return holds(order)
	}
	for i := fixed; i < len(order); i++ {
		order[fixed], order[i] = order[i], order[fixed]
		if anyOrder(order, fixed+1, holds) {
			return true
		}
		order[fixed], order[i] = order[i], order[fixed]
	}
	return false
}
