//! GraphQL's trees, schemas and rules.

use super::{Case, Fault, Scope, Value, lookup};

pub(super) const CASES: &[Case] = &[
    (
        "graphql.parse_query",
        r##"["# who\nquery Q($id: ID! = \"4\", $l: [Int!]!) @x(a: {b: [1, 2.5e3, \"s\\u00e9\", \"\"\"\n  block\n    more\n\"\"\", true, null, RED], c: $id}) {\n  # field\n  a: user(id: $id) { ...F @skip(if: true) ... on User { id } ... @include(if: $l) { name } }\n}\nfragment F on User { name }\n"]"##,
        Some(
            r##"{"Fragments": [{"Name": "F", "SelectionSet": [{"Alias": "name", "Name": "name"}], "TypeCondition": "User"}], "Operations": [{"Comment": {"List": [{"Value": "# who"}]}, "Directives": [{"Arguments": [{"Name": "a", "Value": {"Children": [{"Name": "b", "Value": {"Children": [{"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "1"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 2, "Raw": "2.5e3"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 3, "Raw": "sé"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 4, "Raw": "block\n  more"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 5, "Raw": "true"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 6, "Raw": "null"}}, {"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 7, "Raw": "RED"}}], "ExpectedTypeHasDefault": false, "Kind": 8, "Raw": ""}}, {"Name": "c", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": "id"}}], "ExpectedTypeHasDefault": false, "Kind": 9, "Raw": ""}}], "Location": "", "Name": "x"}], "Name": "Q", "Operation": "query", "SelectionSet": [{"Alias": "a", "Arguments": [{"Name": "id", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": "id"}}], "Comment": {"List": [{"Value": "# field"}]}, "Name": "user", "SelectionSet": [{"Directives": [{"Arguments": [{"Name": "if", "Value": {"ExpectedTypeHasDefault": false, "Kind": 5, "Raw": "true"}}], "Location": "", "Name": "skip"}], "Name": "F"}, {"SelectionSet": [{"Alias": "id", "Name": "id"}], "TypeCondition": "User"}, {"Directives": [{"Arguments": [{"Name": "if", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": "l"}}], "Location": "", "Name": "include"}], "SelectionSet": [{"Alias": "name", "Name": "name"}], "TypeCondition": ""}]}], "VariableDefinitions": [{"DefaultValue": {"ExpectedTypeHasDefault": false, "Kind": 3, "Raw": "4"}, "Type": {"NamedType": "ID", "NonNull": true}, "Used": false, "Variable": "id"}, {"Type": {"Elem": {"NamedType": "Int", "NonNull": true}, "NamedType": "", "NonNull": true}, "Used": false, "Variable": "l"}]}]}"##,
        ),
    ),
    (
        "graphql.parse_query",
        r##"["{ a }"]"##,
        Some(
            r##"{"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "a", "Name": "a"}]}]}"##,
        ),
    ),
    (
        "graphql.parse_query",
        r##"["# c\n{ a(b: # v\n $x, c: # l\n [1 # e\n]) # s\n { ... # f\n F } }"]"##,
        Some(
            r##"{"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "a", "Arguments": [{"Name": "b", "Value": {"ExpectedTypeHasDefault": false, "Kind": 0, "Raw": "x"}}, {"Name": "c", "Value": {"Children": [{"Name": "", "Value": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "1"}}], "Comment": {"List": [{"Value": "# l"}]}, "ExpectedTypeHasDefault": false, "Kind": 8, "Raw": ""}}], "Name": "a", "SelectionSet": [{"Name": "F"}]}]}]}"##,
        ),
    ),
    (
        "graphql.parse_query",
        r##"["# c\nquery # n\n ($a: # t\n Int) { # x\n b }"]"##,
        Some(
            r##"{"Operations": [{"Comment": {"List": [{"Value": "# c"}]}, "Name": "", "Operation": "query", "SelectionSet": [{"Alias": "b", "Comment": {"List": [{"Value": "# x"}]}, "Name": "b"}], "VariableDefinitions": [{"Type": {"NamedType": "Int", "NonNull": false}, "Used": false, "Variable": "a"}]}]}"##,
        ),
    ),
    ("graphql.parse_query", r##"["{ }"]"##, None),
    ("graphql.parse_query", r##"[""]"##, Some(r##"{}"##)),
    ("graphql.parse_query", r##"["{ a(b: 01) }"]"##, None),
    ("graphql.parse_query", r##"["{ a(b: \"x) }"]"##, None),
    ("graphql.parse_query", r##"["query ($a: Int = $b) { a }"]"##, None),
    ("graphql.parse_query", r##"["fragment on on A { b }"]"##, None),
    (
        "graphql.parse_schema",
        r##"["\"\"\"\nAbout\n\"\"\"\nschema @x { query: Query mutation: M }\n# comment\n\"desc\" type Query implements & A & B @deprecated(reason: \"no\") { \"f\" f(a: Int = 1 @x, b: [String!]!): [Query]! # tail\n g: Int }\ninterface A { f: Int }\nunion U @x = | Query | B\nenum E { \"one\" ONE @x TWO }\ninput I { a: Int = 1, b: E! }\nscalar D @specifiedBy(url: \"u\")\ndirective @x(a: Int) repeatable on FIELD | QUERY\nextend type Query { h: D }\nextend schema @x\nextend enum E { THREE }\n# end\n"]"##,
        Some(
            r##"{"Comment": {"List": [{"Value": "# end"}]}, "Definitions": [{"BeforeDescriptionComment": {"List": [{"Value": "# comment"}]}, "BuiltIn": false, "Description": "desc", "Directives": [{"Arguments": [{"Name": "reason", "Value": {"ExpectedTypeHasDefault": false, "Kind": 3, "Raw": "no"}}], "Location": "", "Name": "deprecated"}], "Fields": [{"Arguments": [{"DefaultValue": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "1"}, "Description": "", "Directives": [{"Location": "", "Name": "x"}], "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}, {"Description": "", "Name": "b", "Type": {"Elem": {"NamedType": "String", "NonNull": true}, "NamedType": "", "NonNull": true}}], "Description": "f", "Name": "f", "Type": {"Elem": {"NamedType": "Query", "NonNull": false}, "NamedType": "", "NonNull": true}}, {"AfterDescriptionComment": {"List": [{"Value": "# tail"}]}, "Description": "", "Name": "g", "Type": {"NamedType": "Int", "NonNull": false}}], "Interfaces": ["A", "B"], "Kind": "OBJECT", "Name": "Query"}, {"BuiltIn": false, "Description": "", "Fields": [{"Description": "", "Name": "f", "Type": {"NamedType": "Int", "NonNull": false}}], "Kind": "INTERFACE", "Name": "A"}, {"BuiltIn": false, "Description": "", "Directives": [{"Location": "", "Name": "x"}], "Kind": "UNION", "Name": "U", "Types": ["Query", "B"]}, {"BuiltIn": false, "Description": "", "EnumValues": [{"Description": "one", "Directives": [{"Location": "", "Name": "x"}], "Name": "ONE"}, {"Description": "", "Name": "TWO"}], "Kind": "ENUM", "Name": "E"}, {"BuiltIn": false, "Description": "", "Fields": [{"DefaultValue": {"ExpectedTypeHasDefault": false, "Kind": 1, "Raw": "1"}, "Description": "", "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}, {"Description": "", "Name": "b", "Type": {"NamedType": "E", "NonNull": true}}], "Kind": "INPUT_OBJECT", "Name": "I"}, {"BuiltIn": false, "Description": "", "Directives": [{"Arguments": [{"Name": "url", "Value": {"ExpectedTypeHasDefault": false, "Kind": 3, "Raw": "u"}}], "Location": "", "Name": "specifiedBy"}], "Kind": "SCALAR", "Name": "D"}], "Directives": [{"Arguments": [{"Description": "", "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}], "Description": "", "IsRepeatable": true, "Locations": ["FIELD", "QUERY"], "Name": "x"}], "Extensions": [{"BuiltIn": false, "Description": "", "Fields": [{"Description": "", "Name": "h", "Type": {"NamedType": "D", "NonNull": false}}], "Kind": "OBJECT", "Name": "Query"}, {"BuiltIn": false, "Description": "", "EnumValues": [{"Description": "", "Name": "THREE"}], "Kind": "ENUM", "Name": "E"}], "Schema": [{"Description": "About", "Directives": [{"Location": "", "Name": "x"}], "OperationTypes": [{"Operation": "query", "Type": "Query"}, {"Operation": "mutation", "Type": "M"}]}], "SchemaExtension": [{"Description": "", "Directives": [{"Location": "", "Name": "x"}]}]}"##,
        ),
    ),
    (
        "graphql.parse_schema",
        r##"["type A"]"##,
        Some(r##"{"Definitions": [{"BuiltIn": false, "Description": "", "Kind": "OBJECT", "Name": "A"}]}"##),
    ),
    ("graphql.parse_schema", r##"["extend type A"]"##, None),
    ("graphql.parse_schema", r##"["directive @a on NOWHERE"]"##, None),
    ("graphql.parse_schema", r##"["\"d\" extend type A { b: Int }"]"##, None),
    ("graphql.schema_is_valid", r##"["type Query { a: Int }"]"##, Some(r##"true"##)),
    ("graphql.schema_is_valid", r##"["type Query { a: Missing }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["type Query { a: Int a: Int }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["type Query {a: I} input I {b: Int}"]"##, Some(r##"false"##)),
    (
        "graphql.schema_is_valid",
        r##"["interface A { a: Int } type Query implements A { a: Int! }"]"##,
        Some(r##"true"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["interface A { a: Int } type Query implements A { a: String }"]"##,
        Some(r##"false"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["interface A { a(b: Int): Int } type Query implements A { a: Int }"]"##,
        Some(r##"false"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["interface A { a: Int } type Query implements A { a(c: Int!): Int }"]"##,
        Some(r##"false"##),
    ),
    ("graphql.schema_is_valid", r##"["enum E { true } type Query { a: E }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["enum E { A A }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["union U = Query type Query { a: U }"]"##, Some(r##"true"##)),
    ("graphql.schema_is_valid", r##"["union U = Int type Query { a: U }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["schema { query: Q } type Q { a: Int }"]"##, Some(r##"true"##)),
    ("graphql.schema_is_valid", r##"["schema { query: Q }"]"##, Some(r##"false"##)),
    (
        "graphql.schema_is_valid",
        r##"["schema { query: Q } schema { query: Q } type Q { a: Int }"]"##,
        Some(r##"false"##),
    ),
    ("graphql.schema_is_valid", r##"["type __A { a: Int }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["type A { __a: Int }"]"##, Some(r##"false"##)),
    (
        "graphql.schema_is_valid",
        r##"["directive @d on OBJECT type Query @d { a: Int @d }"]"##,
        Some(r##"false"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["directive @d(a: Int!) on OBJECT type Query @d { a: Int }"]"##,
        Some(r##"false"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["directive @d(a: Int @d) on OBJECT | ARGUMENT_DEFINITION"]"##,
        Some(r##"false"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["type Query @d @d { a: Int } directive @d on OBJECT"]"##,
        Some(r##"true"##),
    ),
    (
        "graphql.schema_is_valid",
        r##"["type Query { a: Int @d @d } directive @d on FIELD_DEFINITION"]"##,
        Some(r##"false"##),
    ),
    ("graphql.schema_is_valid", r##"["directive @skip on FIELD"]"##, Some(r##"true"##)),
    ("graphql.schema_is_valid", r##"["directive @d on FIELD directive @d on FIELD"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["extend type Query { a: Int }"]"##, Some(r##"true"##)),
    ("graphql.schema_is_valid", r##"["type A { a: Int } extend input A { b: Int }"]"##, Some(r##"false"##)),
    (
        "graphql.schema_is_valid",
        r##"["interface A implements B { a: Int } interface B { a: Int } type Query implements A { a: Int }"]"##,
        Some(r##"false"##),
    ),
    ("graphql.schema_is_valid", r##"["scalar Int"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["type Query { a(b: Query): Int }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["type Query"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"["input I { a: Query } type Query { b: Int }"]"##, Some(r##"false"##)),
    ("graphql.schema_is_valid", r##"[""]"##, Some(r##"true"##)),
    ("graphql.schema_is_valid", r##"[7]"##, Some(r##"false"##)),
    (
        "graphql.schema_is_valid",
        r##"[{"Definitions": [{"Kind": "OBJECT", "Name": "Query", "Fields": [{"Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}]}]}]"##,
        Some(r##"true"##),
    ),
    (
        "graphql.is_valid",
        r##"["{ a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a b { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ b }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ zzz }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ __typename b { __typename } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ __schema { types { name } } __type(name: \"Q\") { name } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ b { __schema { types { name } } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query A { a } query B { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["query A { a } query A { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a } query B { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["mutation { m }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["subscription { s }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["subscription { s t }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["subscription { ...F } fragment F on Subscription { s t }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["subscription { __typename }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: 1) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: \"1\") }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: 1, x: 2) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(zz: 1) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: null) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: 99999999999999999999) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: 9999999999) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: 1}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: 1, n: 2}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: 1, q: 2}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: 1, o: {n: 2, k: [A, B]}}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: 1, k: [A, C]}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: 1, k: A}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {n: null}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ l(of: [1, 2]) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ l { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ l(of: [null]) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ l(of: null) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ l(of: 1) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ e(v: A) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ e(v: C) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ e(v: \"A\") }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ e(v: true) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ e(v: 1) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ e(v: {}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ one(v: {a: 1}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ one(v: {a: 1, b: \"x\"}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ one(v: {a: null}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ one(v: {}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int) { one(v: {a: $v}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int!) { one(v: {a: $v}) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int) { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: String) { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int) { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int, $v: Int) { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Q) { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Nope) { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: [Int!]) { l(of: $v) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: [Int!] = [1]) { l(of: $v) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: [Int]!) { l(of: $v) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int = \"x\") { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: E = B) { e(v: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F } fragment F on Query { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a } fragment F on Query { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F } fragment F on Query { a } fragment F on Query { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F } fragment F on Nope { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F } fragment F on E { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F } fragment F on Q { c }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query($v: Int) { ...F } fragment F on Query { a(x: $v) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ u { ... on Q { c } ... on P { p } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ u { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ u { ... on Query { a } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ i { c ... on P { p } ... on Q { d(r: 1) } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ i { p } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ i { ... { c } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ i { ... on U { __typename } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ b { ... on I { c } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a @skip(if: true) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a @skip }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a @nope }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a @skip(if: true) @skip(if: false) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["query @skip(if: true) { a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a @include(if: 1) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ x: a x: a }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ x: a x: e }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: 1) a(x: 2) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(x: 1) ...F } fragment F on Query { a(x: 2) }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ ...F ...G } fragment F on Query { x: a } fragment G on Query { x: e }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ b { x: c } b { x: d(r: 1) } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ u { ... on Q { d(r: 1) } ... on P { d } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ u { ... on Q { x: c } ... on P { x: p } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ u { ... on Q { x: c } ... on P { x: c } } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ l(of: [1]) { c } l(of: [2]) { c } }", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a a a } { ", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["", "type Query { a(x: Int = 1, y: In): String b: Q! u: U i: I l(of: [Int!]!): [Q] e(v: E): E } type Mutation { m: Int } type Subscription { s: Int t: Int } interface I { c: Int } type Q implements I { c: Int d(r: Int!): Int } type P implements I { c: Int p: String d: String } union U = Q | P enum E { A B } input In { n: Int! o: In k: [E] } input One @oneOf { a: Int b: String } extend type Query { one(v: One): Int }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(j: 99999999999999999999) }", "scalar J type Query { a(j: J, y: In): Int } input In { j: J }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(j: [99999999999999999999]) }", "scalar J type Query { a(j: J, y: In): Int } input In { j: J }"]"##,
        Some("true"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {j: 99999999999999999999}) }", "scalar J type Query { a(j: J, y: In): Int } input In { j: J }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {j: [{k: 99999999999999999999}]}) }", "scalar J type Query { a(j: J, y: In): Int } input In { j: J }"]"##,
        Some("false"),
    ),
    (
        "graphql.is_valid",
        r##"["{ a(y: {j: [{k: 9}]}) }", "scalar J type Query { a(j: J, y: In): Int } input In { j: J }"]"##,
        Some("true"),
    ),
    ("graphql.is_valid", r##"[1, "type Query { a: Int }"]"##, Some("false")),
    ("graphql.is_valid", r##"["{ a }", []]"##, Some("false")),
    ("graphql.is_valid", r##"["{ a }", "type Query { a: Nope }"]"##, Some("false")),
    ("graphql.parse", r##"["{ z }", "type Query { a: Int }"]"##, None),
    ("graphql.parse", r##"[1, "type Query { a: Int }"]"##, None),
    (
        "graphql.parse",
        r##"["{ a }", "type Query { a: Int }"]"##,
        Some(
            r##"[{"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "a", "Name": "a"}]}]}, {"Definitions": [{"BuiltIn": false, "Description": "", "Fields": [{"Description": "", "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}], "Kind": "OBJECT", "Name": "Query"}]}]"##,
        ),
    ),
    (
        "graphql.parse",
        r##"[{"Operations": [{"SelectionSet": [{"Name": "a", "More": 1}]}], "Comment": null}, {"Definitions": [{"Kind": "OBJECT", "Name": "Query", "Fields": [{"Name": "a", "Type": {"NamedType": "Int"}, "Position": {"Line": 1}}]}]}]"##,
        Some(
            r##"[{"Operations": [{"Name": "", "Operation": "", "SelectionSet": [{"Alias": "", "Name": "a"}]}]}, {"Definitions": [{"BuiltIn": false, "Description": "", "Fields": [{"Description": "", "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}], "Kind": "OBJECT", "Name": "Query"}]}]"##,
        ),
    ),
    ("graphql.parse", r##"[{"Operations": [{"Name": 1}]}, "type Query { a: Int }"]"##, None),
    ("graphql.parse", r##"[{"Operations": {}}, "type Query { a: Int }"]"##, None),
    ("graphql.parse_and_verify", r##"["{ z }", "type Query { a: Int }"]"##, Some("[false, {}, {}]")),
    ("graphql.parse_and_verify", r##"[null, "type Query { a: Int }"]"##, Some("[false, {}, {}]")),
    (
        "graphql.parse_and_verify",
        r##"["{ a }", "type Query { a: Int }"]"##,
        Some(
            r##"[true, {"Operations": [{"Name": "", "Operation": "query", "SelectionSet": [{"Alias": "a", "Name": "a"}]}]}, {"Definitions": [{"BuiltIn": false, "Description": "", "Fields": [{"Description": "", "Name": "a", "Type": {"NamedType": "Int", "NonNull": false}}], "Kind": "OBJECT", "Name": "Query"}]}]"##,
        ),
    ),
];

const SCHEMA: &str = "type Query { q: Query a: Int l(of: [Int]): Int n(in: In): Int } input In { in: In of: [E] } enum E { A }";

fn numbered(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

/// The query is valid, or its judging ends the evaluation: whichever builtin is asked, and never "not valid".
fn check_large(query: &str, valid: bool) {
    for name in ["graphql.is_valid", "graphql.parse", "graphql.parse_and_verify"] {
        let builtin = lookup(name.to_owned()).expect("offered");
        let outcome = (builtin.run)(&mut Scope::default(), &[query.into(), SCHEMA.into()]);
        match (&outcome, valid) {
            (Ok(Value::Boolean(found)), true) => assert!(found, "{name}"),
            (Ok(Value::Array(parts)), true) => {
                assert_ne!(parts.first(), Some(&Value::Boolean(false)), "{name}")
            }
            (Err(Fault::Halt(_)), false) => {}
            _ => panic!("{name}: {outcome:?}"),
        }
    }
}

/// What grows with the query alone is judged, however large: the work for it grows no faster.
#[test]
fn large_queries_are_judged() {
    let variables = numbered(6_000, |number| format!("$v{number}: Int "));
    let uses = numbered(6_000, |number| format!("$v{number} "));
    check_large(&format!("query({variables}) {{ l(of: [{uses}]) }}"), true);
    check_large(&format!("{{ {} }} fragment F on Query {{ a }}", "...F ".repeat(20_000)), true);
    check_large(
        &format!("{{ n(in: {}{{of: [{}]}}{}) }}", "{in: ".repeat(80), "A ".repeat(10_000), "}".repeat(80)),
        true,
    );
}

/// What would take a naive judge ages, or its stack, has no answer: neither "valid" nor "not valid".
#[test]
fn queries_that_are_too_much_end_the_evaluation() {
    let fan = numbered(20, |number| {
        let next = number + 1;
        format!("fragment F{number} on Query {{ x: q {{ ...F{next} }} y: q {{ ...F{next} }} }} ")
    });
    check_large(&format!("{{ ...F0 }} {fan} fragment F20 on Query {{ {} }}", "a ".repeat(400)), false);
    let chain = numbered(200, |number| {
        let (open, close) = ("q { ".repeat(40), " }".repeat(40));
        format!("fragment F{number} on Query {{ {open} ...F{} {close} }} ", number + 1)
    });
    check_large(&format!("{{ ...F0 }} {chain} fragment F200 on Query {{ a }}"), false);
    check_large(&format!("{{ {} }}", "a ".repeat(2_000)), false);
    check_large(&format!("{} a {}", "{ q ".repeat(99) + "{", "}".repeat(100)), false);
    let (names, spreads) = (
        numbered(4_000, |number| format!("a{number}: a ")),
        numbered(2_000, |number| format!("...F{number} ")),
    );
    let fragments = numbered(2_000, |number| format!("fragment F{number} on Query {{ b: a }} "));
    check_large(&format!("{{ {names} ...F }} fragment F on Query {{ {spreads} }} {fragments}"), false);
    check_large(&format!("{{ {} }}", "a ".repeat(70_000)), false);
}
