package claviger.authz_test

import data.claviger.authz
import rego.v1

offered := ["github-read", "github-write"]

judge(method, segments, credentials) := decision if {
	decision := authz.decision with input as {
		"request": {"method": method, "segments": segments},
		"route": {"credentials": credentials},
	}
}

test_reading_takes_the_reading_credential if {
	every segments in [["repos", "acme", "ledger"], ["repos", "acme", "ledger", "contents", "a", "b"]] {
		decision := judge("GET", segments, offered)
		decision.allow == true
		decision.credential == "github-read"
		decision.scopes == ["repo.read"]
	}
}

test_writing_takes_the_writing_credential if {
	issue := judge("POST", ["repos", "acme", "ledger", "issues"], offered)
	issue.credential == "github-write"
	issue.scopes == ["issues.write"]
	comment := judge("POST", ["repos", "acme", "ledger", "issues", "7", "comments"], offered)
	comment.scopes == ["issues.write"]
	pull := judge("POST", ["repos", "acme", "ledger", "pulls"], offered)
	pull.scopes == ["pulls.write"]
}

test_what_no_grant_covers_is_denied if {
	denied := [
		["DELETE", ["repos", "acme", "ledger"]],
		["GET", ["repos", "acme"]],
		["GET", ["user", "keys"]],
		["GET", []],
		["PUT", ["repos", "acme", "ledger", "issues", "7"]],
		["POST", ["repos", "acme", "ledger", "pulls", "7", "merge"]],
	]
	every call in denied {
		decision := judge(call[0], call[1], offered)
		decision.allow == false
		decision.rule == "no-grant"
	}
}

test_a_credential_that_is_not_offered_is_not_named if {
	decision := judge("POST", ["repos", "acme", "ledger", "issues"], ["github-read"])
	decision.allow == false
	decision.rule == "write-issue"
	not decision.credential
}

test_empty_input_is_denied if {
	authz.decision.allow == false with input as {}
}
