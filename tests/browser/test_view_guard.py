"""Who gets into the local pages: token, host, origin, method. Raw HTTP against the real command; no browser needed."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import evenhand

ROWS = [{"question_id": "q1", "country": country, "text": "An answer."} for country in ("china", "norway")]
VERDICTS = [
    {"question_id": "q1", "country": country, "judge": "j", "criterion": "open", "score": score}
    for country, score in (("china", 1), ("norway", 3))
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("guard")
    answers, verdicts = tmp_path / "answers.jsonl", tmp_path / "verdicts.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    verdicts.write_text("".join(json.dumps(row) + "\n" for row in VERDICTS))
    [one] = evenhand.import_(answers, verdicts=verdicts, focal="china", root=tmp_path / "out").runs
    return one.run.path


class Client:
    def __init__(self, server):
        self.server, self.host = server, f"127.0.0.1:{server.port}"
        self.token = server.address.partition("token=")[2]
        _, headers, _ = self.ask(f"/?token={self.token}", cookie=None)
        self.cookie = headers["set-cookie"].partition(";")[0]

    def ask(self, path, method="GET", body=None, cookie="own", host=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        sent = {"Host": host or self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if cookie is not None:
            sent["Cookie"] = self.cookie if cookie == "own" else cookie
        connection.request(method, path, body, sent)
        reply = connection.getresponse()
        content = reply.read().decode()
        connection.close()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, content


@pytest.fixture(scope="module")
def client(served, run):
    return Client(served("view", run))


def test_the_token_opens_once_and_is_a_cookie_from_then_on(client):
    status, headers, _ = client.ask(f"/?token={client.token}&x=1", cookie=None)
    assert (status, headers["location"]) == (303, "/?x=1")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(headers["set-cookie"].split("; "))
    assert client.cookie == f"evenhand-{client.server.port}={client.token}"
    status, headers, _ = client.ask("/")
    assert status == 303
    status, headers, content = client.ask(headers["location"])
    assert status == 200
    assert client.token not in content
    assert client.token not in "".join(headers.values())


def test_without_the_token_nothing_is_told(client):
    wrong = f"evenhand-{client.server.port}=wrong"
    for path in ("/", "/static/style.css", "/run/x/y", "/favicon.ico", "/?token=", "/?token=wrong", "/?token=%C3%A9"):
        for cookie in (None, wrong, f"evenhand-1={client.token}", "; =;;"):
            status, headers, content = client.ask(path, cookie=cookie)
            assert (status, content) == (403, content)
            assert "address that the command printed" in content
            assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]:{port}",
        "127.0.0.1:{port}.evil.example",
    ],
)
def test_another_host_name_is_refused_even_with_the_cookie(client, host):
    assert client.ask("/", host=host.format(port=client.server.port))[0] == 403


def test_this_machine_has_two_names(client):
    assert client.ask("/", host=f"localhost:{client.server.port}")[0] == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_what_another_page_asks_for_is_refused(client, headers):
    status, told, _ = client.ask("/", **headers)
    assert status == 403
    assert "access-control-allow-origin" not in told


def test_the_view_can_only_be_read(client):
    own = f"http://{client.host}"
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert client.ask("/", method, b"{}", Origin=own, Content_Type="application/json")[0] == 405


@pytest.mark.parametrize("name", ["../..", "..%2f..", "%2e%2e/%2e%2e", "out/..", "etc/passwd", "./.", "%00/x"])
def test_no_run_name_leads_out_of_the_store(client, name):
    assert client.ask(f"/run/{name}")[0] == 404
    assert client.ask(f"/static/{name}")[0] == 404


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/view.js"])
def test_every_response_carries_the_policy(client, path):
    _, headers, _ = client.ask(path)
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_pages_hold_no_script_and_no_style_of_their_own(client):
    at = client.ask("/")[1]["location"]
    for path in (at, f"{at}/answers", f"{at}/answer?item=q1/china/en", f"{at}/compare"):
        status, _, content = client.ask(path)
        assert status == 200
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=", content)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("answers?low=x", "expected a number"),
        ("answers?high=nan", "expected a number"),
        ("answers?criterion=opne", "did you mean"),
        ("answers?judge=k", "judge"),
        ("answers?sensitive=maybe", "yes or no"),
        ("answers?where=x&search=y", "known"),
        ("answers?page=0", "whole number"),
        ("answers?page=%D9%A1", "whole number"),
        ("answer?item=q9/china/en", "no item"),
        ("answer?item=q1/china/en&epoch=2", "no answer 2"),
        ("compare?question=q9", "no question"),
    ],
)
def test_an_address_that_says_nonsense_is_answered_with_a_sentence(client, query, told):
    at = client.ask("/")[1]["location"]
    status, _, content = client.ask(f"{at}/{query}")
    assert status == 400
    assert told in content


def test_a_page_beyond_the_last_is_the_last(client):
    at = client.ask("/")[1]["location"]
    status, _, content = client.ask(f"{at}/answers?page=99")
    assert status == 200
    assert "Shown: 1 to 2." in content


@pytest.fixture(scope="module")
def labelling(served, run):
    client = Client(served("label", run, "--name", "anna", "--n", "2"))
    client.own = {"Origin": f"http://{client.host}", "Content_Type": "application/json"}
    return client


def test_a_label_is_taken_only_from_our_own_page(labelling, run):
    label = json.dumps({"number": 1, "criterion": "open", "value": 3}).encode()
    own = labelling.own
    for headers, status in (
        ({}, 403),
        ({"Content_Type": "application/json"}, 403),
        (own | {"Origin": "http://evil.example"}, 403),
        (own | {"Content_Type": "text/plain"}, 415),
        (own | {"Sec_Fetch_Site": "cross-site"}, 403),
    ):
        assert labelling.ask("/label", "POST", label, **headers)[0] == status
    assert labelling.ask("/label", "POST", b" " * 70_000, **own)[0] == 413
    assert labelling.ask("/label", "POST", label, cookie=None, **own)[0] == 403
    assert labelling.ask("/label", "GET")[0] == 405
    assert labelling.ask("/answer/1", "POST", label, **own)[0] == 405
    assert not list(run.rglob("labels.jsonl"))
    status, _, content = labelling.ask("/label", "POST", label, **own)
    assert status == 200
    assert json.loads(content)["done"] == 1
    assert [one["labels"] for one in evenhand.labellers(run) if one["name"] == "anna"] == [1]


NO_LABELS = (
    b"{", b"[]", b"null", b'{"number": 0}', b'{"number": 1.0}', b'{"number": true}', b'{"number": 3}',
    b'{"number": 1, "criterion": 2}', b'{"number": 1, "criterion": "x", "value": 1}',
    b'{"number": 1, "criterion": "open", "value": 2.5}', b'{"number": 1, "criterion": "open"}',
    b'{"number": 1, "criterion": "open", "value": NaN}',
    b'{"number": 1, "criterion": "open", "value": "not_applicable"}',
    b'{"number": 1, "criterion": "open", "value": 3, "reason": 3}', b"[" * 5000, b"\xff",
)  # fmt: skip


def test_what_is_no_label_is_refused_with_a_sentence_and_nothing_is_written(labelling, run):
    before = [path.read_bytes() for path in run.rglob("labels.jsonl")]
    for body in NO_LABELS:
        status, _, content = labelling.ask("/label", "POST", body, **labelling.own)
        assert status == 400, body
        assert json.loads(content)["problem"].endswith(".")
    assert [path.read_bytes() for path in run.rglob("labels.jsonl")] == before


@pytest.mark.parametrize(("verb", "number"), [("view", signal.SIGINT), ("label", signal.SIGTERM)])
def test_a_signal_ends_it_in_order(served, run, verb, number):
    server = served(verb, run, *(("--name", "bert") if verb == "label" else ()))
    code, err = server.end(number)
    assert code == 0
    assert "Traceback" not in err
    assert server.address.partition("token=")[2] not in err


def told(*arguments):
    command = [sys.executable, "-m", "evenhand", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"NO_COLOR": "1"}
    )
    assert "Traceback" not in done.stderr
    return done


def test_what_cannot_be_shown_is_one_sentence(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases = {
            ("view", tmp_path / "nowhere"): "there is no run",
            ("view", "--out", tmp_path / "nowhere"): "there is no run",
            ("view", run, "--port", port): f"--port {port}",
            ("label", run, "--port", port): f"--port {port}",
            ("view", run, "--port", 70000): "65535",
            ("label", run, "--rubric", "nothing"): "no rubric of this name",
            ("label", run, "--focal", "xx"): "not in this run",
            ("label", run, "--name", ""): "printable",
            ("label", run, "--name", "a\nb"): "printable",
        }
        for arguments, sentence in cases.items():
            done = told(*arguments, "--no-open")
            assert done.returncode == 2, (arguments, done)
            assert sentence in done.stderr
            assert done.stderr.startswith("error: ")


def test_the_store_is_listed_and_new_runs_join_it(served, run):
    client = Client(served("view", "--out", run.parents[1]))
    _, _, content = client.ask("/")
    assert f"/run/{run.parent.name}/{run.name}" in content
    assert client.ask(f"/run/{run.parent.name}/{run.name}")[0] == 200
    assert client.ask(f"/run/{run.parent.name}/{Path('/etc').name}")[0] == 404
