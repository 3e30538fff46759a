// secp256k1_ecdsa_verify and secp256k1_ecdsa_recover for binaries that run worlds. Every node of a
// world judges the same records and the signatures of the same blocks: on a thread with a VirtualOs
// the library's answer to the same question is remembered, on every other the library is asked each
// time. Both are pure functions, so that no trace can tell; a world of 100 nodes spent a third of
// its time in them. Who signed is also known from secp256k1_ecdsa_sign_recoverable, where the
// thread signed it itself. Limits: kMaxRemembered, after which a memo begins anew.
//
// Faces the C library: raw pointers come in as it declares them.
#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>

#include <base/bytes.hpp>
#include <base/check.hpp>
#include <dlfcn.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "../virtual_os.hpp"

namespace {

constexpr std::size_t kMaxRemembered = 64 * 1'024;  // answers of each kind, of one thread
constexpr std::size_t kMaxQuestion = 64 + 32 + 64;  // signature, digest, key

using Question = ethnet::ByteArray<kMaxQuestion>;
// A signature is as good as random: of it 8 bytes are a hash. The first four are of r, or its end.
struct QuestionHash {
  std::size_t operator()(const Question& question) const {
    return ethnet::load_be<std::uint64_t>(ethnet::ByteView{question}.subspan(8, 8));
  }
};
template <class Answer>
using Memo = std::unordered_map<Question, Answer, QuestionHash>;

struct Recovered {
  int ok = 0;
  secp256k1_pubkey key{};
};

#pragma clang unsafe_buffer_usage begin
ethnet::ByteView view_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}
#pragma clang unsafe_buffer_usage end

using SecretBytes = ethnet::ByteArray<32>;

Question make_question(ethnet::ByteView signature, ethnet::ByteView digest, ethnet::ByteView key) {
  Question out{};
  ethnet::MutByteView rest{out};
  for (const ethnet::ByteView part : {signature, digest, key}) {
    ethnet::copy_into(rest, part);
    rest = rest.subspan(part.size());
  }
  return out;
}

// The library's own, which comes after the executable's in the order of look-up.
template <class Function>
Function* library(const char* name) {
  auto* const found = ::dlsym(RTLD_NEXT, name);
  CHECK(found != nullptr);
  return __builtin_bit_cast(Function*, found);
}

template <class Answer, class Ask>
Answer remembered(Memo<Answer>& memo, const Question& question, Ask&& ask) {
  if (const auto it = memo.find(question); it != memo.end()) return it->second;
  if (memo.size() >= kMaxRemembered) memo.clear();
  return memo.emplace(question, ask()).first->second;
}

// What recovering a signature gives. Of one thread.
Memo<Recovered>& recoveries() {
  thread_local Memo<Recovered> memo;
  return memo;
}

Question recovery_question(const secp256k1_ecdsa_recoverable_signature* signature,
                           const unsigned char* digest) {
  const ethnet::ByteView whole = view_of(signature, sizeof(*signature));
  return make_question(whole.first(64), view_of(digest, 32), whole.subspan(64));
}

// A world's nodes are few, and each signs often.
secp256k1_pubkey public_key_of(const secp256k1_context* context, const unsigned char* secret) {
  thread_local std::map<SecretBytes, secp256k1_pubkey> memo;
  SecretBytes bytes{};
  ethnet::copy_into(bytes, view_of(secret, bytes.size()));
  if (memo.size() >= kMaxRemembered) memo.clear();
  const auto [it, fresh] = memo.try_emplace(bytes);
  if (fresh) CHECK(secp256k1_ec_pubkey_create(context, &it->second, secret) == 1);
  return it->second;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int secp256k1_ecdsa_sign_recoverable(
    const secp256k1_context* context, secp256k1_ecdsa_recoverable_signature* out,
    const unsigned char* digest, const unsigned char* secret, secp256k1_nonce_function nonce,
    const void* nonce_data) {
  static auto* const own =
      library<decltype(secp256k1_ecdsa_sign_recoverable)>("secp256k1_ecdsa_sign_recoverable");
  const int ok = own(context, out, digest, secret, nonce, nonce_data);
  if (ok == 1 && ethnet::sim::VirtualOs::current() != nullptr) {
    (void)remembered(recoveries(), recovery_question(out, digest),
                     [&] { return Recovered{1, public_key_of(context, secret)}; });
  }
  return ok;
}

__attribute__((visibility("default"))) int secp256k1_ecdsa_verify(
    const secp256k1_context* context, const secp256k1_ecdsa_signature* signature,
    const unsigned char* digest, const secp256k1_pubkey* key) {
  static auto* const own = library<decltype(secp256k1_ecdsa_verify)>("secp256k1_ecdsa_verify");
  const auto ask = [&] { return own(context, signature, digest, key); };
  if (ethnet::sim::VirtualOs::current() == nullptr) return ask();
  thread_local Memo<int> memo;
  return remembered(memo,
                    make_question(view_of(signature, sizeof(*signature)), view_of(digest, 32),
                                  view_of(key, sizeof(*key))),
                    ask);
}

__attribute__((visibility("default"))) int secp256k1_ecdsa_recover(
    const secp256k1_context* context, secp256k1_pubkey* out,
    const secp256k1_ecdsa_recoverable_signature* signature, const unsigned char* digest) {
  static auto* const own = library<decltype(secp256k1_ecdsa_recover)>("secp256k1_ecdsa_recover");
  if (ethnet::sim::VirtualOs::current() == nullptr) return own(context, out, signature, digest);
  const Recovered answer = remembered(recoveries(), recovery_question(signature, digest), [&] {
    Recovered fresh;
    fresh.ok = own(context, &fresh.key, signature, digest);
    return fresh;
  });
  *out = answer.key;
  return answer.ok;
}

}  // extern "C"
