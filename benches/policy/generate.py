#!/usr/bin/env python3
"""Writes the cases as every engine takes them: FOLDER/CASE/{policy.rego,data.json,input.json,bundle.tar.gz}.

Usage: generate.py FOLDER, with `opa` on PATH. The same every time it runs.
"""
import base64
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = ["boolean", "mediation", "envoy", "regex", "rules"]
RULES = 500

MEDIATION_INPUT = {
    "version": 1,
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "time": {"now_ns": 1795302000000000000, "rfc3339": "2026-11-21T23:00:00Z", "weekday": "Saturday"},
    "workload": {
        "uid": 1000,
        "gid": 1000,
        "pid": 4242,
        "exe": "/usr/bin/python3.12",
        "cgroup": "/system.slice/agent.service",
        "environment": "production",
        "labels": {"team": "team-11"},
    },
    "request": {
        "method": "GET",
        "scheme": "https",
        "host": "api.example.com",
        "port": 443,
        "path": "/repos/acme/ledger/issues",
        "segments": ["repos", "acme", "ledger", "issues"],
        "query": {"state": ["open"], "per_page": ["50"]},
        "headers": {
            "accept": ["application/json"],
            "accept-encoding": ["gzip, deflate, br"],
            "user-agent": ["agent/1.4 (linux; x86_64)"],
            "x-request-id": ["01890a5d-ac96-774b-bcce-b302099a8057"],
        },
        "protocol": "HTTP/1.1",
        "content_length": 0,
    },
    "route": {"name": "api", "upstream": "https://api.example.com", "credentials": ["api-read", "api-write"]},
    "network": {"listener": "app", "mode": "reverse", "peer": "127.0.0.1:51234"},
    "context": {"sidecar": "sidecar-1", "revision": "r1", "shadow": False},
}


def unpadded(value):
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def envoy_input():
    token = ".".join([unpadded({"alg": "HS256", "typ": "JWT"}), unpadded({"role": "admin", "sub": "YWxpY2U"}), "c2ln"])
    return {
        "attributes": {
            "source": {"address": {"socketAddress": {"address": "172.17.0.10", "portValue": 36472}}},
            "destination": {"address": {"socketAddress": {"address": "172.17.0.17", "portValue": 9080}}},
            "request": {
                "time": "2026-11-21T23:00:00.123456Z",
                "http": {
                    "id": "13359530607844510314",
                    "method": "POST",
                    "headers": {
                        ":authority": "people.example.com",
                        ":method": "POST",
                        ":path": "/people?dry_run=1",
                        "accept": "*/*",
                        "authorization": f"Bearer {token}",
                        "content-type": "application/json",
                        "user-agent": "agent/1.4 (linux; x86_64)",
                        "x-request-id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    },
                    "path": "/people?dry_run=1",
                    "host": "people.example.com",
                    "scheme": "http",
                    "protocol": "HTTP/1.1",
                },
            },
            "metadataContext": {},
        },
        "parsed_path": ["people"],
        "parsed_query": {"dry_run": ["1"]},
        "parsed_body": None,
        "truncated_body": False,
        "version": {"encoding": "protojson", "ext_authz": "v3"},
    }


def grants():
    """10 KB: 16 teams with four grants each."""
    paths = [["orgs", "*"], ["users", "*", "keys"], ["repos", "acme", "*", "pulls"], ["repos", "*", "*", "issues"]]
    return {
        "teams": {
            f"team-{team}": {
                "grants": [
                    {
                        "name": f"team-{team}-{number}",
                        "host": "api.example.com",
                        "methods": ["GET", "HEAD"],
                        "path": path,
                        "credential": "api-read",
                        "scopes": ["repo.read"],
                    }
                    for number, path in enumerate(paths)
                ]
            }
            for team in range(16)
        }
    }


def rules():
    """Rules that differ in two constants each; the last but one is the one that holds."""
    rule = 'allow if {{\n\tinput.request.method == "{}"\n\tinput.request.segments[1] == "{}"\n}}\n'
    last = RULES - 2
    bodies = [rule.format("GET" if n % 2 == 0 else "POST", "acme" if n == last else f"org-{n}") for n in range(RULES)]
    return "package bench\n\nimport rego.v1\n\ndefault allow := false\n\n" + "\n".join(bodies)


def write(folder, case):
    where = folder / case
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    source = rules() if case == "rules" else (HERE / "cases" / case / "policy.rego").read_text()
    (where / "policy.rego").write_text(source)
    (where / "data.json").write_text(json.dumps(grants() if case == "mediation" else {}))
    document = envoy_input() if case == "envoy" else MEDIATION_INPUT
    (where / "input.json").write_text(json.dumps(document, separators=(",", ":")))
    command = ["opa", "build", "-t", "wasm", "-e", "bench/allow", "-o", "bundle.tar.gz", "policy.rego", "data.json"]
    subprocess.run(command, cwd=where, check=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    for case in CASES:
        write(folder, case)


if __name__ == "__main__":
    main()
