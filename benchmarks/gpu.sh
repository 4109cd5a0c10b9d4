#!/usr/bin/env bash
# Builds, tests and measures the GPU kernels on a machine with a GPU, torch of CUDA, nvcc and a C++
# compiler. Installs nothing and needs no network: runs from this checkout, builds into a cache.
#
#   benchmarks/gpu.sh [--results FILE] [build] [test] [sanitize] [bench]
#
# Without names of steps it does them all. The libraries are built where they are not there yet. A
# step that fails does not keep the later ones from running; what failed is said last. PYTHON names
# the interpreter that has torch (default: python3).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
exec </dev/null

results=benchmarks/results/statistics_gpu.json
steps=()
while [ $# -gt 0 ]; do
  case $1 in
    --results) results=${2:?--results needs a file}; shift ;;
    build | test | sanitize | bench) steps+=("$1") ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ ${#steps[@]} -gt 0 ] || steps=(build test sanitize bench)

python=$(command -v "${PYTHON:-python3}") || { echo "${PYTHON:-python3} was not found" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/modules"
PATH=$(dirname "$python"):$PATH # where ninja is, though the environment may not be activated
export PATH PYTHONPATH="$PWD:$scratch/modules${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Whoever may not write to a home still has a cache.
cache=${XDG_CACHE_HOME:-${HOME:-/}/.cache}
if ! { mkdir -p "$cache/ftcore" && [ -w "$cache/ftcore" ]; } 2>/dev/null; then
  XDG_CACHE_HOME=${TMPDIR:-/tmp}/ftcore-cache-$(id -u)
  export XDG_CACHE_HOME
fi

# setuptools carries a copy of platformdirs, for machines that have none and may install nothing.
"$python" - "$scratch/modules" <<'PYTHON' || exit 1
import sys
from importlib.util import find_spec
from pathlib import Path

vendored = "platformdirs"
if find_spec(vendored) is None and (setuptools := find_spec("setuptools")):
    copy = Path(setuptools.origin).parent / "_vendor" / vendored
    if copy.is_dir():
        (Path(sys.argv[1]) / vendored).symlink_to(copy)
        sys.path.append(sys.argv[1])
needed = ("torch", "numpy", "click", "pluggy", vendored, "setuptools", "pytest", "hypothesis")
lacking = [name for name in needed if find_spec(name) is None]
if lacking:
    sys.exit(f"{sys.executable} lacks {', '.join(lacking)}: put them on PYTHONPATH")
PYTHON

failed=()
step() {
  local name=$1
  shift
  echo "+ $*"
  "$@" || failed+=("$name")
}

is_built() {
  "$python" -c 'import sys; from ftcore.ops.library import build, library_path
sys.exit(not all(map(library_path, build.LIBRARIES)))'
}

# pytest's own options are left out: they name a plugin that may not be there.
tests() {
  "$python" -m pytest --override-ini=addopts= --strict-markers -p no:cacheprovider -q -rfEs "$@"
}

build() {
  step build "$python" -m ftcore build --cuda
}

require_gpu() {
  "$python" -c 'import sys, torch; from ftcore.ops import cuda_kernel
kernel = cuda_kernel()
print("evaluation kernel, cuda:", kernel)
sys.exit(not (torch.cuda.is_available() and kernel.is_native))'
}

sanitize() {
  local tool
  if ! command -v compute-sanitizer >/dev/null; then
    echo "no compute-sanitizer: memory and races are not checked"
    return
  fi
  # Without torch's own caching, so that each tensor is a piece of memory with edges.
  for tool in memcheck racecheck; do
    step "sanitize ($tool)" env PYTORCH_NO_CUDA_MEMORY_CACHING=1 \
      compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 \
      "$python" -m pytest --override-ini=addopts= -p no:cacheprovider -q -x tests/ops/test_cuda.py \
      -k 'native and (rows_equal or images or heads or every_time)'
  done
}

for name in "${steps[@]}"; do
  if [ "$name" = build ] || ! is_built; then
    build
    [ ${#failed[@]} -eq 0 ] || break
  fi
  [ "$name" = build ] && continue
  require_gpu || { failed+=("$name: no native kernel on a GPU"); break; }
  case $name in
    test)
      step "test of the ops" tests -m cuda tests/ops
      step "test of the libraries" tests tests/native
      ;;
    sanitize) sanitize ;;
    bench) step bench "$python" -m benchmarks.bench_statistics_gpu "$results" ;;
  esac
done

if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "done: ${steps[*]}"
