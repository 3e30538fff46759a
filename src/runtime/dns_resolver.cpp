#include "dns_resolver.hpp"

#include <chrono>
#include <cstring>
#include <list>
#include <map>
#include <stdexcept>

#include <ares.h>
#include <arpa/nameser.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "sockaddr.hpp"

namespace ethnet::runtime {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

DnsOutcome outcome_of(int status) {
  if (status == ARES_SUCCESS) return DnsOutcome::found;
  const bool none = status == ARES_ENOTFOUND || status == ARES_ENODATA;
  return none ? DnsOutcome::not_found : DnsOutcome::failed;
}

TextAnswer texts_of(int status, const unsigned char* packet, int size) {
  TextAnswer out;
  ares_txt_ext* first = nullptr;
  if (status == ARES_SUCCESS) status = ares_parse_txt_reply_ext(packet, size, &first);
  out.outcome = outcome_of(status);
  if (status != ARES_SUCCESS) out.why = ares_strerror(status);
  for (const ares_txt_ext* part = first; part != nullptr; part = part->next) {
    if (part->record_start != 0) {
      if (out.texts.size() == kMaxTexts) break;
      out.texts.emplace_back();
    }
    if (!out.texts.empty()) {
      out.texts.back().append(reinterpret_cast<const char*>(part->txt), part->length);
    }
  }
  if (first != nullptr) ares_free_data(first);
  return out;
}

AddressAnswer addresses_of(int status, ares_addrinfo* result) {
  AddressAnswer out;
  out.outcome = outcome_of(status);
  if (status != ARES_SUCCESS) out.why = ares_strerror(status);
  if (result == nullptr) return out;
  for (const ares_addrinfo_node* node = result->nodes; node != nullptr; node = node->ai_next) {
    if (out.addresses.size() == kMaxAddresses) break;
    SocketAddress address;
    if (node->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
    out.addresses.push_back(from_socket_address(address).ip);
  }
  ares_freeaddrinfo(result);
  return out;
}

}  // namespace

// Outlives the resolver while a handler of its own is queued.
class DnsResolver::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& io, const DnsOptions& options) : io_{io}, timer_{io} {
    ares_library_init(ARES_LIB_INIT_ALL);
    ares_options settings{};
    settings.timeout = static_cast<int>(options.patience.ns / 1'000'000);
    settings.tries = options.tries;
    settings.sock_state_cb = on_socket;
    settings.sock_state_cb_data = this;
    const int flags = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (const int status = ares_init_options(&channel_, &settings, flags); status != ARES_SUCCESS) {
      ares_library_cleanup();
      throw std::runtime_error(fmt::format("cannot ask the DNS: {}", ares_strerror(status)));
    }
    if (options.server.empty()) return;
    const auto server = Endpoint::parse(options.server);
    if (!server || server->port == 0 ||
        ares_set_servers_ports_csv(channel_, server->to_string().c_str()) != ARES_SUCCESS) {
      ares_destroy(channel_);
      ares_library_cleanup();
      throw std::runtime_error(
          fmt::format("DNS server '{}': expected ADDRESS:PORT", options.server));
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { close(); }

  void close() {
    if (channel_ == nullptr) return;
    closed_ = true;
    timer_.cancel();
    ares_destroy(channel_);  // ends each question, and closes each socket by on_socket
    channel_ = nullptr;
    ares_library_cleanup();
  }

  void ask_texts(const std::string& name, std::function<void(TextAnswer)> done) {
    questions_.push_back({this, std::move(done), {}, {}});
    questions_.back().self = std::prev(questions_.end());
    ares_query(channel_, name.c_str(), ns_c_in, ns_t_txt, on_texts, &questions_.back());
    rearm();
  }

  void ask_addresses(const std::string& name, std::function<void(AddressAnswer)> done) {
    questions_.push_back({this, {}, std::move(done), {}});
    questions_.back().self = std::prev(questions_.end());
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, on_addresses, &questions_.back());
    rearm();
  }

  [[nodiscard]] std::size_t under_way() const { return questions_.size(); }

 private:
  struct Asked {
    State* state;
    std::function<void(TextAnswer)> texts;
    std::function<void(AddressAnswer)> addresses;
    std::list<Asked>::iterator self;
  };
  struct Socket {
    asio::posix::stream_descriptor descriptor;
    bool reads = false;  // is waited for
    bool writes = false;
    bool waits_read = false;
    bool waits_write = false;
  };

  // c-ares calls these, also from inside ares_query.
  static void on_socket(void* data, ares_socket_t fd, int readable, int writable) {
    static_cast<State*>(data)->watch(fd, readable != 0, writable != 0);
  }
  static void on_texts(void* data, int status, int, unsigned char* packet, int size) {
    const auto* asked = static_cast<Asked*>(data);
    asked->state->finish(asked->self, asked->texts, texts_of(status, packet, size));
  }
  static void on_addresses(void* data, int status, int, ares_addrinfo* result) {
    const auto* asked = static_cast<Asked*>(data);
    asked->state->finish(asked->self, asked->addresses, addresses_of(status, result));
  }

  template <class Done, class Answer>
  void finish(std::list<Asked>::iterator self, const Done& done, Answer answer) {
    if (!closed_) {
      asio::post(io_, [state = weak_from_this(), done, told = std::move(answer)]() mutable {
        if (const auto alive = state.lock(); alive && !alive->closed_) done(std::move(told));
      });
    }
    questions_.erase(self);
  }

  void watch(ares_socket_t fd, bool reads, bool writes) {
    auto found = sockets_.find(fd);
    if (!reads && !writes) {  // c-ares closes it after this
      if (found != sockets_.end()) {
        found->second->descriptor.release();
        sockets_.erase(found);
      }
      return;
    }
    if (found == sockets_.end()) {
      found = sockets_
                  .emplace(
                      fd, std::make_shared<Socket>(Socket{asio::posix::stream_descriptor{io_, fd}}))
                  .first;
    }
    found->second->reads = reads;
    found->second->writes = writes;
    wait(fd, found->second);
  }

  void wait(ares_socket_t fd, const std::shared_ptr<Socket>& socket) {
    if (socket->reads && !socket->waits_read) {
      socket->waits_read = true;
      socket->descriptor.async_wait(
          asio::posix::stream_descriptor::wait_read,
          [state = weak_from_this(), fd, weak = std::weak_ptr{socket}](ErrorCode error) {
            on_ready(state, weak, error, fd, ARES_SOCKET_BAD);
          });
    }
    if (socket->writes && !socket->waits_write) {
      socket->waits_write = true;
      socket->descriptor.async_wait(
          asio::posix::stream_descriptor::wait_write,
          [state = weak_from_this(), fd, weak = std::weak_ptr{socket}](ErrorCode error) {
            on_ready(state, weak, error, ARES_SOCKET_BAD, fd);
          });
    }
  }

  static void on_ready(const std::weak_ptr<State>& weak_state,
                       const std::weak_ptr<Socket>& weak_socket, ErrorCode error,
                       ares_socket_t readable, ares_socket_t writable) {
    const auto state = weak_state.lock();
    const auto socket = weak_socket.lock();
    if (!state || !socket || state->closed_) return;
    (readable != ARES_SOCKET_BAD ? socket->waits_read : socket->waits_write) = false;
    if (error) return;
    ares_process_fd(state->channel_, readable, writable);
    const ares_socket_t fd = readable != ARES_SOCKET_BAD ? readable : writable;
    const auto still = state->sockets_.find(fd);
    if (still != state->sockets_.end() && still->second == socket) state->wait(fd, socket);
    state->rearm();
  }

  void rearm() {
    timeval at{};
    if (ares_timeout(channel_, nullptr, &at) == nullptr) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(std::chrono::seconds{at.tv_sec} + std::chrono::microseconds{at.tv_usec});
    timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
      const auto state = weak.lock();
      if (error || !state || state->closed_) return;
      ares_process_fd(state->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      state->rearm();
    });
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  std::list<Asked> questions_;
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  bool closed_ = false;
};

DnsResolver::DnsResolver(asio::io_context& io, const DnsOptions& options)
    : state_{std::make_shared<State>(io, options)} {}
DnsResolver::~DnsResolver() { state_->close(); }
void DnsResolver::ask_texts(const std::string& name, std::function<void(TextAnswer)> done) {
  state_->ask_texts(name, std::move(done));
}
void DnsResolver::ask_addresses(const std::string& name, std::function<void(AddressAnswer)> done) {
  state_->ask_addresses(name, std::move(done));
}
std::size_t DnsResolver::under_way() const { return state_->under_way(); }

}  // namespace ethnet::runtime
