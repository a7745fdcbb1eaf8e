package claviger.authz_test

import data.claviger.authz
import rego.v1

workload := {"uid": 1000}

request(method) := {"method": method, "path": "/repos/acme/ledger"}

test_reads_are_allowed if {
	every method in {"GET", "HEAD"} {
		decision := authz.decision with input as {"workload": workload, "request": request(method)}
		decision.allow == true
		decision.rule == "read"
	}
}

test_writes_need_a_purpose if {
	every method in {"POST", "PUT", "PATCH", "DELETE"} {
		decision := authz.decision with input as {"workload": workload, "request": request(method)}
		decision.allow == false
		decision.rule == "write-needs-purpose"
		decision.hint != ""
	}
}

test_writes_with_a_claimed_purpose_are_allowed if {
	decision := authz.decision with input as {
		"workload": workload,
		"request": request("POST"),
		"claimed": {"purpose": "close books"},
	}
	decision.allow == true
	decision.rule == "write-with-purpose"
}

test_a_blank_purpose_is_none if {
	decision := authz.decision with input as {
		"workload": workload,
		"request": request("POST"),
		"claimed": {"purpose": "  "},
	}
	decision.allow == false
}

test_writes_under_a_task_are_allowed if {
	decision := authz.decision with input as {
		"workload": workload,
		"request": request("PUT"),
		"task": {"id": "t-81"},
	}
	decision.allow == true
}

test_a_spiffe_identity_is_known if {
	decision := authz.decision with input as {
		"workload": {"spiffe_id": "spiffe://example.org/ns/pay/sa/ledger"},
		"request": request("GET"),
	}
	decision.allow == true
}

test_unknown_workloads_are_denied if {
	every facts in [{}, {"uid": "1000"}, {"spiffe_id": "ledger"}] {
		decision := authz.decision with input as {"workload": facts, "request": request("GET")}
		decision.allow == false
		decision.rule == "unknown-workload"
	}
}

test_other_methods_are_denied if {
	every method in {"OPTIONS", "TRACE", "CONNECT", "get", ""} {
		decision := authz.decision with input as {"workload": workload, "request": request(method)}
		decision.allow == false
		decision.rule == "default-deny"
	}
}

test_empty_input_is_denied if {
	authz.decision.allow == false with input as {}
}
