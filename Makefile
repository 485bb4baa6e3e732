# Rackeye on Debian 12. `make run` and `make test` set up all they need.
# libatomic1 is wanted by the node that playwright brings, gcc compiles parity and what the rack needs; libaio-dev brings
# the library, whose own package is called libaio1 or libaio1t64.
DEBIAN = bubblewrap chromium dbus e2fsprogs ffmpeg gcc gdisk gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-bad \
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good iproute2 kmod libatomic1 libaio-dev libc6-dev fuse3 libisal2 mdadm \
	prometheus python3-gi python3-venv smartmontools socat udev user-mode-linux xfsprogs
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
ARGS ?=
# A rack waits about as much as it works: one more than there are CPUs.
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
# In the order of their names: else the racks, few tests to a file, all come last.
PYTEST = .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: setup run test test-long check reference bench install

COMPILED = .venv/lib/librackeye_parity.so .venv/lib/uml_host.so

setup: .venv/ready $(COMPILED)
.venv/ready: pyproject.toml Makefile
	$(ROOT) apt-get update -q
	# RUNLEVEL=1: promtool is wanted, a Prometheus that starts is not.
	$(ROOT) env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends $(DEBIAN)
	/usr/bin/python3 -m venv .venv
	.venv/bin/pip install -q -e '.[dev]'
	touch $@

.venv/lib/librackeye_parity.so: raid/parity.c
.venv/lib/uml_host.so: rig/uml_host.c
$(COMPILED): .venv/ready
	gcc -O3 -Wall -Wextra -Werror -fPIC -shared -o $@ $(filter %.c,$^)

run: setup
	$(ROOT) .venv/bin/python -m rig.run $(ARGS)

test: setup
	$(ROOT) $(PYTEST) $(ARGS)

test-long: setup
	$(PYTEST) --hypothesis-profile thorough tests/unit
	$(ROOT) $(PYTEST) -m "rig or long" --timeout 3000 $(ARGS)

check: setup
	.venv/bin/python -m pytest -q tests/house $(ARGS)

# What in docs/ref is made from the product itself.
reference: setup
	.venv/bin/python -m nvr.cli.manual markdown > docs/ref/cli.md
	.venv/bin/python -m nvr.cli.manual man > docs/ref/rackeye.1
	.venv/bin/python -m nvr.cli.manual codes > docs/ref/codes.md
	.venv/bin/python -m nvr.web.reference > docs/ref/api.md

# One JSON line a row, and benchmarks/results.md. ONLY: parity, check, recorder, latency, spare, idle, sixteen or web.
ONLY ?=
bench: setup
	$(ROOT) .venv/bin/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

PROFILE ?= generic
install: setup
	$(ROOT) systemd/install.sh / $(PROFILE)
