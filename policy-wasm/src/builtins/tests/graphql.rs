//! GraphQL's trees and schemas.

use super::Case;

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
];
