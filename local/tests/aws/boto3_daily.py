"""What boto3 does with S3 every day, against the cloud at AWS_ENDPOINT_URL."""

import hashlib
import io
import json
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3")


def refused(code, call, **arguments):
    """Calls, and expects to be refused with this code."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{found} instead of {code}: {error}"
    else:
        raise AssertionError(f"not refused with {code}")


def buckets():
    s3.create_bucket(Bucket="daily")
    # In us-east-1 once more is no error.
    s3.create_bucket(Bucket="daily")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["daily"]
    assert s3.head_bucket(Bucket="daily")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="daily")["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket="daily")
    refused("404", s3.head_bucket, Bucket="no-such-bucket")
    refused("NoSuchBucket", s3.list_objects_v2, Bucket="no-such-bucket")


def objects():
    put = s3.put_object(
        Bucket="daily",
        Key="grüße/雪 +&%.txt",
        Body=b"hello",
        ContentType="text/plain",
        Metadata={"colour": "blau"},
    )
    assert put["ETag"] == '"%s"' % hashlib.md5(b"hello").hexdigest()
    got = s3.get_object(Bucket="daily", Key="grüße/雪 +&%.txt")
    assert got["Body"].read() == b"hello"
    assert got["ContentType"] == "text/plain"
    assert got["Metadata"] == {"colour": "blau"}
    part = s3.get_object(Bucket="daily", Key="grüße/雪 +&%.txt", Range="bytes=1-2")
    assert part["Body"].read() == b"el" and part["ContentRange"] == "bytes 1-2/5"
    head = s3.head_object(Bucket="daily", Key="grüße/雪 +&%.txt", ChecksumMode="ENABLED")
    assert head["ContentLength"] == 5 and head["ChecksumCRC32"]
    s3.copy_object(
        Bucket="daily",
        Key="copy",
        CopySource={"Bucket": "daily", "Key": "grüße/雪 +&%.txt"},
    )
    assert s3.get_object(Bucket="daily", Key="copy")["Metadata"] == {"colour": "blau"}
    refused("NoSuchKey", s3.get_object, Bucket="daily", Key="none")
    refused("404", s3.head_object, Bucket="daily", Key="none")
    refused("PreconditionFailed", s3.put_object, Bucket="daily", Key="copy", IfNoneMatch="*")
    refused("304", s3.get_object, Bucket="daily", Key="copy", IfNoneMatch=put["ETag"])
    for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"]:
        try:
            s3.put_object(Bucket="daily", Key="sum", Body=b"x", ChecksumAlgorithm=algorithm)
        except Exception as error:
            # Some need a library that boto3 does not bring.
            assert "MissingDependency" in type(error).__name__, error
    s3.put_object_tagging(
        Bucket="daily", Key="copy", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]}
    )
    tags = s3.get_object_tagging(Bucket="daily", Key="copy")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}]


def conditions():
    s3.put_object(Bucket="daily", Key="if", Body=b"1")
    etag = s3.head_object(Bucket="daily", Key="if")["ETag"]
    source = {"Bucket": "daily", "Key": "copy"}
    copy = {"Bucket": "daily", "Key": "if", "CopySource": source}
    refused("PreconditionFailed", s3.copy_object, IfNoneMatch="*", **copy)
    refused("PreconditionFailed", s3.copy_object, IfMatch='"x"', **copy)
    stitched = s3.get_object(Bucket="daily", Key="if", Range="bytes=0-0,0-0")
    assert stitched["Body"].read() == b"1" and "ContentRange" not in stitched
    refused("PreconditionFailed", s3.delete_object, Bucket="daily", Key="if", IfMatch='"x"')
    s3.delete_object(Bucket="daily", Key="if", IfMatch=etag)
    refused("404", s3.head_object, Bucket="daily", Key="if")


def odd_keys():
    keys = ["odd/<&>\"'", "odd/\r\n", "odd/\U0001f600", "odd/+ %2B"]
    for key in keys + ["odd/\x01"]:
        s3.put_object(Bucket="daily", Key=key, Body=b"x", ContentType="multipart/form-data")
    listed = s3.list_objects_v2(Bucket="daily", Prefix="odd/")["Contents"]
    assert [entry["Key"] for entry in listed] == sorted(keys + ["odd/\x01"]), listed
    # XML has no such character: S3 takes it in a path only.
    control = {"Objects": [{"Key": "odd/\x01"}]}
    refused("MalformedXML", s3.delete_objects, Bucket="daily", Delete=control)
    s3.delete_object(Bucket="daily", Key="odd/\x01")
    objects = [{"Key": key} for key in keys]
    deleted = s3.delete_objects(Bucket="daily", Delete={"Objects": objects})["Deleted"]
    assert sorted(entry["Key"] for entry in deleted) == sorted(keys), deleted
    assert "Contents" not in s3.list_objects_v2(Bucket="daily", Prefix="odd/")


def lists():
    for number in range(25):
        s3.put_object(Bucket="daily", Key=f"list/{number % 5}/{number:02}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="daily", Prefix="list/", PaginationConfig={"PageSize": 7}
    )
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert len(keys) == 25 and keys == sorted(keys), keys
    pages = s3.get_paginator("list_objects").paginate(
        Bucket="daily", Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    prefixes = [entry["Prefix"] for page in pages for entry in page["CommonPrefixes"]]
    assert prefixes == [f"list/{number}/" for number in range(5)], prefixes
    deleted = s3.delete_objects(
        Bucket="daily", Delete={"Objects": [{"Key": key} for key in keys]}
    )
    assert len(deleted["Deleted"]) == 25 and "Errors" not in deleted


def uploads():
    body = bytes(range(256)) * 50_000
    config = TransferConfig(multipart_threshold=1, multipart_chunksize=5 * 1024 * 1024)
    s3.upload_fileobj(io.BytesIO(body), "daily", "large", Config=config)
    head = s3.head_object(Bucket="daily", Key="large")
    assert head["ContentLength"] == len(body) and head["ETag"].endswith('-3"')
    found = io.BytesIO()
    s3.download_fileobj("daily", "large", found, Config=config)
    assert found.getvalue() == body
    s3.copy({"Bucket": "daily", "Key": "large"}, "daily", "large copy", Config=config)
    assert s3.head_object(Bucket="daily", Key="large copy")["ContentLength"] == len(body)
    begun = s3.create_multipart_upload(Bucket="daily", Key="given up")
    part = s3.upload_part(
        Bucket="daily", Key="given up", UploadId=begun["UploadId"], PartNumber=1, Body=b"x"
    )
    listed = s3.list_parts(Bucket="daily", Key="given up", UploadId=begun["UploadId"])
    assert [one["ETag"] for one in listed["Parts"]] == [part["ETag"]]
    assert len(s3.list_multipart_uploads(Bucket="daily")["Uploads"]) == 1
    s3.abort_multipart_upload(Bucket="daily", Key="given up", UploadId=begun["UploadId"])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="daily")


def versions():
    s3.put_bucket_versioning(Bucket="daily", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="daily", Key="v", Body=b"1")["VersionId"]
    s3.put_object(Bucket="daily", Key="v", Body=b"2")
    marker = s3.delete_object(Bucket="daily", Key="v")
    assert marker["DeleteMarker"]
    refused("NoSuchKey", s3.get_object, Bucket="daily", Key="v")
    assert s3.get_object(Bucket="daily", Key="v", VersionId=first)["Body"].read() == b"1"
    listed = s3.list_object_versions(Bucket="daily", Prefix="v")
    assert len(listed["Versions"]) == 2 and listed["DeleteMarkers"][0]["IsLatest"]
    s3.delete_object(Bucket="daily", Key="v", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="daily", Key="v")["Body"].read() == b"2"


def access():
    url = s3.generate_presigned_url("get_object", {"Bucket": "daily", "Key": "copy"})
    assert urllib.request.urlopen(url).read() == b"hello"
    # Version 4 leaves the content type alone, which urllib sets.
    version_4 = boto3.client("s3", config=Config(signature_version="s3v4"))
    url = version_4.generate_presigned_url("put_object", {"Bucket": "daily", "Key": "by url"})
    request = urllib.request.Request(url, data=b"put", method="PUT")
    urllib.request.urlopen(request)
    assert s3.get_object(Bucket="daily", Key="by url")["Body"].read() == b"put"

    described = {"Bucket": "daily", "Key": "by url", "Metadata": {"colour": "blue"}}
    url = version_4.generate_presigned_url("put_object", described)
    headers = {"x-amz-meta-colour": "blue"}
    request = urllib.request.Request(url, data=b"put", method="PUT", headers=headers)
    urllib.request.urlopen(request)
    assert s3.head_object(Bucket="daily", Key="by url")["Metadata"] == {"colour": "blue"}
    url = version_4.generate_presigned_url("put_object", {"Bucket": "daily", "Key": "by url"})
    request = urllib.request.Request(url, data=b"no", method="PUT", headers=headers)
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        assert error.code == 403 and b"HeadersNotSigned" in error.read()
    else:
        raise AssertionError("a header that is not signed was taken")

    anonymous = boto3.client("s3", config=Config(signature_version=UNSIGNED))
    refused("AccessDenied", anonymous.get_object, Bucket="daily", Key="copy")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::daily/*",
            }
        ],
    }
    policy = json.dumps(policy)
    refused("AccessDenied", s3.put_bucket_policy, Bucket="daily", Policy=policy)
    s3.delete_public_access_block(Bucket="daily")
    s3.put_bucket_policy(Bucket="daily", Policy=policy)
    assert anonymous.get_object(Bucket="daily", Key="copy")["Body"].read() == b"hello"
    assert json.loads(s3.get_bucket_policy(Bucket="daily")["Policy"])

    stranger = boto3.client("s3", aws_access_key_id="AKIA", aws_secret_access_key="x")
    refused("InvalidAccessKeyId", stranger.list_buckets)
    forger = boto3.client("s3", aws_access_key_id="test", aws_secret_access_key="x")
    refused("SignatureDoesNotMatch", forger.list_buckets)
    identity = boto3.client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000", identity


def settings():
    rules = [
        {
            "ID": "old",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
    s3.put_bucket_lifecycle_configuration(
        Bucket="daily", LifecycleConfiguration={"Rules": rules}
    )
    shown = s3.get_bucket_lifecycle_configuration(Bucket="daily")["Rules"]
    assert shown == rules, shown
    encryption = s3.get_bucket_encryption(Bucket="daily")
    rule = encryption["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    refused("NotImplemented", s3.get_bucket_website, Bucket="daily")


def end():
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="daily")
    everything = boto3.resource("s3").Bucket("daily").object_versions
    everything.delete()
    s3.delete_bucket(Bucket="daily")
    assert s3.list_buckets()["Buckets"] == []


for step in [buckets, objects, conditions, odd_keys, lists, uploads, versions, access, settings, end]:
    step()
    print(step.__name__, "done")
