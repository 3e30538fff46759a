#include "unix_acceptor.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <boost/asio/error.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace ethnet::control {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

namespace {

constexpr int kBacklog = 16;
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;  // the system's
constexpr const char* kOtherwise = "name another file by --ipcpath, or --ipcdisable";

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error(fmt::format("control socket {}: {}", path, why));
}

// Only what no one listens at goes.
void remove_stale(asio::io_context& io, const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::not_found) return;
  if (status.type() != fs::file_type::socket) {
    refuse(path, fmt::format("there is a file of this name, and it is no socket: {}", kOtherwise));
  }
  stream_protocol::socket probe{io};
  ErrorCode refused;
  probe.connect(path, refused);
  if (refused != asio::error::connection_refused) {
    refuse(path, fmt::format("somebody listens there: {}", kOtherwise));
  }
  if (!fs::remove(path, error)) refuse(path, error.message());
}

}  // namespace

UnixAcceptor::UnixAcceptor(asio::io_context& io, std::string path)
    : path_{std::move(path)}, loop_{io} {
  if (path_.size() > kMaxPath) {
    refuse(path_, fmt::format("the system takes {} bytes at most: {}", kMaxPath, kOtherwise));
  }
  remove_stale(io, path_);
  try {
    auto& acceptor = loop_.acceptor();
    acceptor.open(stream_protocol{});
    // Before it has a name: there is no moment at which others could open it.
    if (::fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0) {
      refuse(path_, std::strerror(errno));
    }
    acceptor.bind(path_);
    acceptor.listen(kBacklog);
  } catch (const boost::system::system_error& error) {
    refuse(path_, error.code().message());
  }
}

UnixAcceptor::~UnixAcceptor() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

}  // namespace ethnet::control
