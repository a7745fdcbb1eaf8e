package main

import (
	"bytes"
	"reflect"

	"github.com/open-policy-agent/opa/internal/compiler/wasm"
	"github.com/open-policy-agent/opa/internal/wasm/encoding"
	"github.com/open-policy-agent/opa/internal/wasm/module"
	"github.com/open-policy-agent/opa/v1/ir"
)

// link makes one module of many plans. What the planner wrote stays as it is, but for what plans would otherwise share:
// their functions get names of their own, and their constants move behind those of the plans before.
func link(g group, pages uint32) ([]byte, error) {
	whole := &ir.Policy{Static: &ir.Static{}, Plans: &ir.Plans{}, Funcs: &ir.Funcs{}}
	listed := map[string]bool{}
	for _, p := range g {
		newMove(whole, p).take(listed)
	}
	compiled, err := wasm.New().WithPolicy(whole).Compile()
	if err != nil {
		return nil, err
	}
	for i := range compiled.Import.Imports {
		if memory, isMemory := compiled.Import.Imports[i].Descriptor.(module.MemoryImport); isMemory {
			memory.Mem.Lim.Min += pages
			compiled.Import.Imports[i].Descriptor = memory
		}
	}
	var out bytes.Buffer
	if err := encoding.WriteModule(&out, compiled); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// move carries one plan into the whole.
type move struct {
	whole   *ir.Policy
	part    *ir.Policy
	prefix  string
	strings int
	files   int
	own     map[string]bool
}

func newMove(whole *ir.Policy, p *planned) *move {
	m := &move{
		whole:   whole,
		part:    p.policy,
		prefix:  p.Entrypoint + ".",
		strings: len(whole.Static.Strings),
		files:   len(whole.Static.Files),
		own:     map[string]bool{},
	}
	for _, function := range p.policy.Funcs.Funcs {
		m.own[function.Name] = true
	}
	return m
}

func (m *move) take(listed map[string]bool) {
	static := m.whole.Static
	static.Strings = append(static.Strings, m.part.Static.Strings...)
	static.Files = append(static.Files, m.part.Static.Files...)
	for _, builtin := range m.part.Static.BuiltinFuncs {
		if !listed[builtin.Name] {
			listed[builtin.Name] = true
			static.BuiltinFuncs = append(static.BuiltinFuncs, builtin)
		}
	}
	for _, function := range m.part.Funcs.Funcs {
		function.Name = m.prefix + function.Name
		if len(function.Path) > 0 {
			function.Path[0] = m.prefix + function.Path[0]
		}
		m.adjust(reflect.ValueOf(function.Blocks))
		m.whole.Funcs.Funcs = append(m.whole.Funcs.Funcs, function)
	}
	for _, plan := range m.part.Plans.Plans {
		m.adjust(reflect.ValueOf(plan.Blocks))
		m.whole.Plans.Plans = append(m.whole.Plans.Plans, plan)
	}
}

// adjust visits every statement. Statements are found by their types, so that one of a later OPA cannot be forgotten.
func (m *move) adjust(value reflect.Value) {
	switch value.Kind() {
	case reflect.Slice:
		for i := range value.Len() {
			m.adjust(value.Index(i))
		}
	case reflect.Pointer:
		if !value.IsNil() {
			m.statement(value.Interface())
			m.adjust(value.Elem())
		}
	case reflect.Interface:
		if index, isString := value.Interface().(ir.StringIndex); isString {
			value.Set(reflect.ValueOf(index + ir.StringIndex(m.strings)))
		} else if !value.IsNil() {
			m.adjust(value.Elem())
		}
	case reflect.Struct:
		if location, isLocation := value.Addr().Interface().(*ir.Location); isLocation {
			location.File += m.files
			return
		}
		for i := range value.NumField() {
			m.adjust(value.Field(i))
		}
	}
}

// statement changes what a statement's type does not tell: numbers that are indices, and names.
func (m *move) statement(statement any) {
	switch s := statement.(type) {
	case *ir.CallStmt:
		if m.own[s.Func] {
			s.Func = m.prefix + s.Func
		}
	case *ir.CallDynamicStmt:
		generation := m.part.Static.Strings[s.Path[0].Value.(ir.StringIndex)].Value
		m.whole.Static.Strings = append(m.whole.Static.Strings, &ir.StringConst{Value: m.prefix + generation})
		// less what `adjust` is about to add
		s.Path[0].Value = ir.StringIndex(len(m.whole.Static.Strings) - 1 - m.strings)
	case *ir.MakeNumberRefStmt:
		s.Index += m.strings
	case *ir.WithStmt:
		for i := range s.Path {
			s.Path[i] += m.strings
		}
	}
}
