# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: starts a new op or pass with the files that every op or pass has.

verb_new_op() { die "new-op: not written"; }
verb_new_pass() { die "new-pass: not written"; }
