// OPA's own engine in Go, as a host embeds it: a prepared query, asked with the parsed input document.
//
// Usage: opa-go CASE EVALUATIONS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: opa-go CASE EVALUATIONS")
	}
	evaluations, err := strconv.Atoi(os.Args[2])
	check(err)
	folder := os.Args[1]
	source, err := os.ReadFile(filepath.Join(folder, "policy.rego"))
	check(err)
	ctx := context.Background()
	query, err := rego.New(
		rego.Query("data.bench.allow"),
		rego.Module("policy.rego", string(source)),
		rego.Store(inmem.NewFromObject(document(folder, "data.json"))),
	).PrepareForEval(ctx)
	check(err)
	input := document(folder, "input.json")
	evaluate := func() rego.ResultSet {
		results, err := query.Eval(ctx, rego.EvalInput(input))
		check(err)
		return results
	}
	result := evaluate()[0].Expressions[0].Value
	for range evaluations / 10 {
		evaluate()
	}
	spans := make([]time.Duration, 0, evaluations)
	for range evaluations {
		began := time.Now()
		evaluate()
		spans = append(spans, time.Since(began))
	}
	sort.Slice(spans, func(i, j int) bool { return spans[i] < spans[j] })
	text, err := json.Marshal(map[string]any{
		"p50_us": at(spans, 50), "p99_us": at(spans, 99), "result": result, "more": map[string]any{},
	})
	check(err)
	fmt.Println(string(text))
}

func document(folder, name string) map[string]any {
	text, err := os.ReadFile(filepath.Join(folder, name))
	check(err)
	var value map[string]any
	check(json.Unmarshal(text, &value))
	return value
}

func at(spans []time.Duration, share int) float64 {
	place := max((len(spans)*share+99)/100, 1) - 1
	if place >= len(spans) {
		return 0
	}
	return float64(spans[place].Nanoseconds()) / 1000
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
