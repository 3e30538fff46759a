// secp256k1_ec_pubkey_create, secp256k1_ec_pubkey_parse (of 33 bytes, which costs a square root)
// and secp256k1_ecdh for binaries that run worlds, as curve_memo.cpp: in a world both sides of each
// key agreement are on one thread, and come to the same point. All are pure functions. Limits:
// kMaxRemembered, after which a memo begins anew.
//
// Faces the C library: raw pointers come in as it declares them.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include <base/bytes.hpp>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>

#include "../virtual_os.hpp"
#include "memo.hpp"

namespace {

using namespace ethnet::sim::interpose;
using ethnet::ByteArray;
using ethnet::ByteView;
using ethnet::MutByteView;

constexpr std::size_t kCompressedBytes = 33;
using PointBytes = ByteArray<64>;  // x and y

struct FreeContext {
  void operator()(secp256k1_context* context) const noexcept { secp256k1_context_destroy(context); }
};

struct Parsed {
  int ok = 0;
  secp256k1_pubkey key{};
};

// Copies both coordinates: what the library makes of them is asked for afterwards.
#pragma clang unsafe_buffer_usage begin
int copy_point(unsigned char* output, const unsigned char* x32, const unsigned char* y32, void*) {
  const std::span out{output, 64};
  std::ranges::copy(std::span{x32, 32}, out.begin());
  std::ranges::copy(std::span{y32, 32}, out.subspan(32).begin());
  return 1;
}
unsigned char* c_bytes(PointBytes& point) { return reinterpret_cast<unsigned char*>(point.data()); }
const unsigned char* c_bytes(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}
#pragma clang unsafe_buffer_usage end

// Of two keys, whichever is ours.
ByteArray<128> agreement_question(const secp256k1_pubkey& a, const secp256k1_pubkey& b) {
  ByteView first = view_of(&a, sizeof(a));
  ByteView second = view_of(&b, sizeof(b));
  if (ethnet::lex_less(second, first)) std::swap(first, second);
  ByteArray<128> out{};
  ethnet::copy_into(out, first);
  ethnet::copy_into(MutByteView{out}.subspan(64), second);
  return out;
}

}  // namespace

namespace ethnet::sim::interpose {

secp256k1_pubkey public_key_of(const unsigned char* secret) {
  static auto* const own =
      library<decltype(secp256k1_ec_pubkey_create)>("secp256k1_ec_pubkey_create");
  thread_local const std::unique_ptr<secp256k1_context, FreeContext> context{
      secp256k1_context_create(SECP256K1_CONTEXT_NONE)};
  thread_local Memo<32, secp256k1_pubkey> memo;
  ByteArray<32> question{};
  copy_into(question, view_of(secret, question.size()));
  return remembered(memo, question, [&] {
    secp256k1_pubkey key{};
    CHECK(own(context.get(), &key, secret) == 1);
    return key;
  });
}

}  // namespace ethnet::sim::interpose

extern "C" {

__attribute__((visibility("default"))) int secp256k1_ec_pubkey_create(
    const secp256k1_context* context, secp256k1_pubkey* out, const unsigned char* secret) {
  static auto* const own =
      library<decltype(secp256k1_ec_pubkey_create)>("secp256k1_ec_pubkey_create");
  if (ethnet::sim::VirtualOs::current() == nullptr ||
      secp256k1_ec_seckey_verify(context, secret) != 1) {
    return own(context, out, secret);
  }
  *out = public_key_of(secret);
  return 1;
}

__attribute__((visibility("default"))) int secp256k1_ec_pubkey_parse(
    const secp256k1_context* context, secp256k1_pubkey* out, const unsigned char* input,
    size_t size) {
  static auto* const own =
      library<decltype(secp256k1_ec_pubkey_parse)>("secp256k1_ec_pubkey_parse");
  if (size != kCompressedBytes || ethnet::sim::VirtualOs::current() == nullptr) {
    return own(context, out, input, size);
  }
  thread_local Memo<kCompressedBytes, Parsed> memo;
  ByteArray<kCompressedBytes> question{};
  ethnet::copy_into(question, view_of(input, size));
  const Parsed answer = remembered(memo, question, [&] {
    Parsed fresh;
    fresh.ok = own(context, &fresh.key, input, size);
    return fresh;
  });
  *out = answer.key;
  return answer.ok;
}

__attribute__((visibility("default"))) int secp256k1_ecdh(
    const secp256k1_context* context, unsigned char* output, const secp256k1_pubkey* key,
    const unsigned char* secret, secp256k1_ecdh_hash_function hash, void* data) {
  static auto* const own = library<decltype(secp256k1_ecdh)>("secp256k1_ecdh");
  if (ethnet::sim::VirtualOs::current() == nullptr || hash == nullptr ||
      secp256k1_ec_seckey_verify(context, secret) != 1) {
    return own(context, output, key, secret, hash, data);
  }
  thread_local Memo<128, PointBytes> memo;
  const PointBytes point = remembered(memo, agreement_question(*key, public_key_of(secret)), [&] {
    PointBytes fresh{};
    CHECK(own(context, c_bytes(fresh), key, secret, copy_point, nullptr) == 1);
    return fresh;
  });
  const ByteView view{point};
  return hash(output, c_bytes(view.first(32)), c_bytes(view.subspan(32)), data);
}

}  // extern "C"
