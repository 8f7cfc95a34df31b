"""An S3 server with the bucket `archive`, on a free port, until its input ends."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
boto3.client(
    "s3",
    endpoint_url=f"http://{host}:{port}",
    region_name="us-east-1",
    aws_access_key_id="invented",
    aws_secret_access_key="invented",
).create_bucket(Bucket="archive")
print(port, flush=True)
sys.stdin.read()
server.stop()
