// By which names a listener may be called: a page in a browser may be made to call us under a name
// of its own (DNS rebinding), and its Host header is all that tells. The port that it names says
// nothing more: behind a tunnel (ssh -L) or in a container it is another than ours.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <types/endpoint.hpp>

namespace ethnet::observe {

class HostNames {
 public:
  HostNames() : HostNames{std::vector<std::string>{}} {}
  // localhost, 127.0.0.1, [::1], and `names`, of which "*" is any.
  explicit HostNames(std::vector<std::string> names);
  // Where it listens, too; of an address that stands for any there is no name.
  HostNames(std::vector<std::string> names, const IpAddress& listen);
  // `host`: what a request has, with its port or without.
  [[nodiscard]] bool contains(std::string_view host) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace ethnet::observe
