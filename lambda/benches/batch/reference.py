"""The algorithm that the processor is compared with: one GET per record, one after the other,
on a connection of its own. A program of the standard library alone, driven over the Runtime
API as the processor is."""

import base64
import http.client
import json
import os
import urllib.request
import uuid
from datetime import datetime, timezone

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
SERVICE = os.environ["MYSFITS_API_URL"]


def mysfit(mysfit_id):
    with urllib.request.urlopen(f"{SERVICE}/mysfits/{mysfit_id}") as answer:
        return json.load(answer)


def enrich(record):
    click = json.loads(base64.b64decode(record["data"]))
    attributes = mysfit(click["mysfitId"])
    arrival = datetime.fromtimestamp(
        record["approximateArrivalTimestamp"] / 1000, timezone.utc
    )
    line = {
        "userId": click["userId"],
        "mysfitId": click["mysfitId"],
        "goodevil": attributes["goodevil"],
        "lawchaos": attributes["lawchaos"],
        "species": attributes["species"],
        "clickedAt": arrival.isoformat(timespec="milliseconds"),
        "clickId": click.get("clickId") or str(uuid.uuid5(uuid.NAMESPACE_OID, record["recordId"])),
    }
    data = base64.b64encode((json.dumps(line) + "\n").encode())
    return {"recordId": record["recordId"], "result": "Ok", "data": data.decode()}


def main():
    runtime = http.client.HTTPConnection(API)
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        answer = runtime.getresponse()
        event = json.loads(answer.read())
        reply = json.dumps({"records": [enrich(record) for record in event["records"]]})
        request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        path = f"/2018-06-01/runtime/invocation/{request_id}/response"
        runtime.request("POST", path, reply.encode())
        runtime.getresponse().read()


main()
