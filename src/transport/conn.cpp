#include "conn.hpp"

namespace ethnet::transport {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<ConnError>(code)) {
    case ConnError::unknown_connection:
      return "no such connection";
    case ConnError::unknown_stream:
      return "no such stream";
    case ConnError::stream_limit:
      return "the peer allows no more streams";
    case ConnError::not_established:
      return "connection is not established";
    case ConnError::export_unavailable:
      return "no key exporter yet";
    case ConnError::connection_limit:
      return "connection limit reached";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"transport", describe};

}  // namespace

const ErrorDomain& error_domain(ConnError) { return kDomain; }

}  // namespace ethnet::transport
