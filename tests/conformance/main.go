// Compiles OPA's own test cases to WebAssembly, for tests/tests/conformance.rs to run.
//
//	go run . OUTPUT PAGES
//
// The cases come with OPA's module. Each is planned by itself, as OPA's end-to-end test of its WebAssembly engine does
// it; the plans are then linked, so that one module holds many cases and need be compiled only once. Cases that share a
// module call the same builtins of the host, so that one that may not be loaded takes no other with it.
//
// PAGES is how much more memory the modules ask for than OPA's compiler lets them: it forgets the table of the rules,
// which is large where many plans are linked. With 0 the host has to see to that.
//
// OUTPUT gets the modules, and cases.json, written last.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/test/cases"
)

// With more cases in a module, OPA's runtime is the smaller part of what is to be compiled.
const casesPerModule = 100

// Case is what the harness reads; tests/src/conformance/corpus.rs has its counterpart.
type Case struct {
	Name       string            `json:"name"`
	Topic      string            `json:"topic"`
	Module     string            `json:"module,omitempty"`
	Entrypoint string            `json:"entrypoint,omitempty"`
	Uncompiled string            `json:"uncompiled,omitempty"`
	Builtins   []string          `json:"builtins"`
	Data       *map[string]any   `json:"data,omitempty"`
	Input      *any              `json:"input,omitempty"`
	Defined    *bool             `json:"want_defined,omitempty"`
	Result     *[]map[string]any `json:"want_result,omitempty"`
	Error      string            `json:"want_error,omitempty"`
	Strict     bool              `json:"strict_error"`
	Sort       bool              `json:"sort_bindings"`
}

func main() {
	if len(os.Args) != 3 {
		fail(2, "usage: go run . OUTPUT PAGES")
	}
	pages, err := strconv.ParseUint(os.Args[2], 10, 16)
	if err != nil {
		fail(2, err)
	}
	if err := build(os.Args[1], uint32(pages)); err != nil {
		fail(1, err)
	}
}

func fail(code int, why any) {
	fmt.Fprintln(os.Stderr, "conformance:", why)
	os.Exit(code)
}

func build(output string, pages uint32) error {
	if err := os.MkdirAll(output, 0o755); err != nil {
		return err
	}
	loaded, err := load()
	if err != nil {
		return err
	}
	planned := make([]planned, len(loaded))
	inParallel(len(loaded), func(i int) { planned[i] = plan(loaded[i], fmt.Sprintf("case%d", i)) })
	groups := grouped(planned)
	failures := make([]error, len(groups))
	inParallel(len(groups), func(i int) { failures[i] = groups[i].write(output, fmt.Sprintf("module%d.wasm", i), pages) })
	for _, failure := range failures {
		if failure != nil {
			return failure
		}
	}
	list := make([]Case, len(planned))
	for i := range planned {
		list[i] = planned[i].Case
	}
	return writeList(list, filepath.Join(output, "cases.json"))
}

// load reads the cases of Rego version 1 from the sources of OPA that this program is built with.
func load() ([]cases.TestCase, error) {
	found, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa").Output()
	if err != nil {
		return nil, fmt.Errorf("where is OPA's source: %w", err)
	}
	set, err := cases.Load(filepath.Join(strings.TrimSpace(string(found)), "v1/test/cases/testdata/v1"))
	if err != nil {
		return nil, err
	}
	return set.Sorted().Cases, nil
}

// group is what becomes one module.
type group []*planned

func (g group) write(output, name string, pages uint32) error {
	module, err := link(g, pages)
	if err != nil {
		return fmt.Errorf("%s, with %s: %w", name, g[0].Name, err)
	}
	for _, p := range g {
		p.Module = name
	}
	return os.WriteFile(filepath.Join(output, name), module, 0o644)
}

func grouped(all []planned) []group {
	byBuiltins := map[string]group{}
	for i := range all {
		if all[i].policy != nil {
			key := strings.Join(all[i].Builtins, " ")
			byBuiltins[key] = append(byBuiltins[key], &all[i])
		}
	}
	var keys []string
	for key := range byBuiltins {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var groups []group
	for _, key := range keys {
		groups = slices.AppendSeq(groups, slices.Chunk(byBuiltins[key], casesPerModule))
	}
	return groups
}

func writeList(list []Case, path string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(list); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

func inParallel(count int, do func(int)) {
	next := make(chan int)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	done.Wait()
}
