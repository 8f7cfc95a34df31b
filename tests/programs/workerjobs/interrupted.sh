#!/bin/sh
trap 'echo got TERM; exit 0' TERM
trap 'echo got INT; exit 0' INT
echo waiting
while :; do sleep 0.05; done
