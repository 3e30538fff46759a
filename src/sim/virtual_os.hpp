// VirtualOs: entropy and clocks for third-party code (GnuTLS) on a thread that runs a world. GnuTLS
// seeds its generator once a thread from getrandom *and* the wall-clock second; a binary that links
// ethnet_sim_interpose (ethnet-sim and tests, never the node) gets both from the VirtualOs that is
// current on its thread, and the operating system's when none is. Without that library a scope has
// no effect.
//
// Since GnuTLS keeps a generator a thread, every seed runs on a fresh thread (run_seed).
#pragma once

#include <base/bytes.hpp>
#include <base/instant.hpp>

namespace ethnet::sim {

class VirtualOs {
 public:
  VirtualOs() = default;
  VirtualOs(const VirtualOs&) = delete;
  VirtualOs& operator=(const VirtualOs&) = delete;
  virtual ~VirtualOs() = default;

  virtual void fill_random(MutByteView out) noexcept = 0;
  [[nodiscard]] virtual Now clock() const noexcept = 0;

  // Of this thread; nullptr outside any scope.
  [[nodiscard]] static VirtualOs* current() noexcept;
};

// Makes `os` current on this thread; scopes nest.
class VirtualOsScope {
 public:
  explicit VirtualOsScope(VirtualOs& os) noexcept;
  VirtualOsScope(const VirtualOsScope&) = delete;
  VirtualOsScope& operator=(const VirtualOsScope&) = delete;
  ~VirtualOsScope();

 private:
  VirtualOs* previous_;
};

}  // namespace ethnet::sim
