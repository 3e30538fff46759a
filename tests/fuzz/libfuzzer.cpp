// libFuzzer's entry point for the target that the build names.
#include <algorithm>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto target = std::ranges::find(
      ethnet::fuzz::targets(), std::string_view{ETHNET_FUZZ_TARGET}, &ethnet::fuzz::Target::name);
  CHECK(target != ethnet::fuzz::targets().end());
  target->run(std::as_bytes(std::span{data, size}));
  return 0;
}
