// Nodes that ask a server of discv5, all on one UDP socket: each has an identity and an address of
// 127.0.0.0/8 of its own. They answer PING, so
// that they count as alive, and nothing else. The same for every server that is measured.
// Threading: everything on the calling thread, which waits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <discovery/v5/session/sessions.hpp>
#include <discovery/v5/wire/message.hpp>
#include <runtime/os.hpp>
#include <types/enr.hpp>

namespace ethnet::bench {

// An UDP socket on every address of this machine.
class LoopbackSocket {
 public:
  LoopbackSocket();
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;
  ~LoopbackSocket();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void send(const IpAddress& from, const Endpoint& to, ByteView bytes) const;
  struct Arrived {
    IpAddress at;  // to which address of ours
    ByteView bytes;
  };
  // Waits for it; nothing after a second. The view lives until the next call.
  [[nodiscard]] std::optional<Arrived> receive();

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
  Bytes buffer_ = Bytes(2048);
};

// One of them.
class Asker {
 public:
  // `number` tells them apart.
  Asker(LoopbackSocket& socket, std::uint32_t number, discv5::EnrPtr server);

  // A session with the server, by a handshake that asks a PING. Throws when it does not answer.
  void meet();
  // Asks `count` questions, at most `window` at a time, and more when half of them are answered.
  // Every answer is read, and counts if it says what it has to: a PONG where it sees us, NODES the
  // server's record. What is lost is asked again. Throws when there is no answer any more.
  enum class Question : std::uint8_t { ping, find_node };
  void ask(Question question, std::uint64_t count, std::size_t window);
  [[nodiscard]] const Endpoint& place() const { return place_; }

 private:
  void send_question(Question question, std::uint64_t number);
  void send_message(const discv5::Message& message);
  // The plaintext of the next message for us; nothing after a second of silence. Of challenges one
  // is answered each time that meet() asks for it: the server has a session of ours then, and each
  // further answer would be another one, that it does not take.
  [[nodiscard]] std::optional<ByteView> next_message();
  [[nodiscard]] bool is_answer(Question question, ByteView plain);

  LoopbackSocket& socket_;
  runtime::OsEntropy entropy_;
  std::shared_ptr<const crypto::SecretKey> key_;
  Endpoint place_;
  discv5::EnrPtr server_;
  discv5::Peer server_peer_;
  discv5::Sessions sessions_;
  bool wants_challenge_ = false;
  discv5::PacketBuffer in_{};
  discv5::PacketBuffer out_{};
  discv5::PacketBuffer plain_{};
};

}  // namespace ethnet::bench
