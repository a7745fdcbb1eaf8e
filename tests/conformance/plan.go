package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/open-policy-agent/opa/internal/compiler/wasm"
	"github.com/open-policy-agent/opa/internal/planner"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/types"
	"github.com/open-policy-agent/opa/v1/util"
)

// planned is a case with its plan, or without one where OPA refuses to compile it.
type planned struct {
	Case
	policy *ir.Policy
}

// The corpus calls a builtin that only OPA's test programs register.
func init() {
	ast.RegisterBuiltin(&ast.Builtin{Name: "test.sleep", Decl: types.NewFunction(types.Args(types.S), types.NewNull())})
}

func plan(tc cases.TestCase, entrypoint string) planned {
	p := planned{Case: described(tc)}
	policy, err := planCase(tc, entrypoint, &p.Case)
	if err != nil {
		p.Uncompiled = err.Error()
		return p
	}
	p.Entrypoint, p.policy = entrypoint, policy
	for _, builtin := range policy.Static.BuiltinFuncs {
		if !wasm.IsWasmEnabled(builtin.Name) {
			p.Builtins = append(p.Builtins, builtin.Name)
		}
	}
	slices.Sort(p.Builtins)
	return p
}

func described(tc cases.TestCase) Case {
	c := Case{
		Name:     tc.Note,
		Topic:    filepath.Base(filepath.Dir(tc.Filename)),
		Builtins: []string{},
		Data:     tc.Data,
		Input:    tc.Input,
		Defined:  tc.WantDefined,
		Result:   tc.WantResult,
		Strict:   tc.StrictError,
		Sort:     tc.SortBindings,
	}
	if tc.WantErrorCode != nil {
		c.Error = *tc.WantErrorCode
	} else if tc.WantError != nil {
		c.Error = *tc.WantError
	}
	return c
}

func planCase(tc cases.TestCase, entrypoint string, c *Case) (*ir.Policy, error) {
	capabilities := ast.CapabilitiesForThisVersion()
	capabilities.FutureKeywords = append(capabilities.FutureKeywords, "not")
	capabilities.Builtins = append(capabilities.Builtins, ast.BuiltinMap["test.sleep"])
	options := ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities}
	modules := map[string]*ast.Module{}
	for i, text := range tc.Modules {
		name := fmt.Sprintf("module-%d.rego", i)
		module, err := ast.ParseModuleWithOpts(name, text, options)
		if err != nil {
			return nil, err
		}
		modules[name] = module
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, compiler.Errors
	}
	options.SkipRules = true
	query, err := ast.ParseBodyWithOpts(tc.Query, options)
	if err != nil {
		return nil, err
	}
	if tc.InputTerm != nil {
		if err := giveInput(query, *tc.InputTerm, c); err != nil {
			return nil, err
		}
	}
	queryCompiler := compiler.QueryCompiler().WithContext(ast.NewQueryContext())
	compiled, err := queryCompiler.Compile(query)
	if err != nil {
		return nil, err
	}
	var ordered []*ast.Module
	for _, name := range util.KeysSorted(compiler.Modules) {
		ordered = append(ordered, compiler.Modules[name])
	}
	return planner.New().
		WithQueries([]planner.QuerySet{{
			Name:          entrypoint,
			Queries:       []ast.Body{compiled},
			RewrittenVars: queryCompiler.RewrittenVars(),
		}}).
		WithModules(ordered).
		WithBuiltinDecls(ast.BuiltinMap).
		Plan()
}

// giveInput puts an input that is written in Rego where it belongs: beside the policy where it is JSON, and into the
// query where it is not, as with sets.
func giveInput(query ast.Body, text string, c *Case) error {
	term, err := ast.ParseTerm(text)
	if err != nil {
		return err
	}
	if isJSON(term) {
		value, err := ast.JSON(term.Value)
		c.Input = &value
		return err
	}
	for _, expr := range query {
		expr.With = append([]*ast.With{{Target: ast.InputRootDocument.Copy(), Value: term.Copy()}}, expr.With...)
	}
	return nil
}

func isJSON(term *ast.Term) bool {
	json := true
	ast.WalkTerms(term, func(inner *ast.Term) bool {
		switch value := inner.Value.(type) {
		case ast.Null, ast.Boolean, ast.Number, ast.String, *ast.Array:
		case ast.Object:
			value.Foreach(func(key, _ *ast.Term) {
				_, isString := key.Value.(ast.String)
				json = json && isString
			})
		default:
			json = false
		}
		return !json
	})
	return json
}
