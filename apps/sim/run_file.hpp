// `ethnet-sim run FILE`: one scenario file (docs/SIM.md).
#pragma once

#include <string>

namespace ethnet::sim {

struct RunFileOptions {
  std::string file;
  std::string seed;  // empty: the file's
  bool json = false;
  bool trace = false;
};

// The exit code: 0 when all that the file expects held, 2 when not, 1 when it is wrong.
[[nodiscard]] int run_file(const RunFileOptions& options);

}  // namespace ethnet::sim
