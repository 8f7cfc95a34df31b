#!/bin/sh
echo to stdout
echo to stderr >&2
echo more to stdout
