#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "model/fqdn.hpp"

/// The few parts of the DNS wire format (RFC 1035 section 4) that a server of TXT values needs.
/// Read by hand instead of by ldns: a query's grammar is tiny, nothing is allocated for what an
/// attacker sends, and no pointer is ever followed.
namespace certherd::dns::responder {

enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  soa = 6,
  hinfo = 13,
  txt = 16,
  aaaa = 28,
  opt = 41,
  ixfr = 251,
  axfr = 252,
  any = 255,
};

enum class ResponseCode : std::uint8_t {
  no_error = 0,
  format_error = 1,
  name_error = 3,
  not_implemented = 4,
  refused = 5,
  bad_version = 16,  ///< RFC 6891: its upper bits travel in OPT
};

constexpr std::uint16_t class_internet = 1;
constexpr std::size_t header_size = 12;
constexpr std::size_t max_name_size = 255;
constexpr std::size_t max_label_size = 63;

/// A name as it goes over the wire, uncompressed.
std::string encode_name(const Fqdn& name);

/// Takes numbers from the front of a packet. Reading past its end gives zeros and is remembered.
class Reader {
 public:
  explicit Reader(std::string_view packet) : rest_(packet) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::string_view take(std::size_t size);

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

class Writer {
 public:
  void u8(unsigned value);
  void u16(unsigned value);
  void u32(std::uint32_t value);
  void bytes(std::string_view data) { data_ += data; }

  const std::string& data() const { return data_; }
  std::string take() { return std::move(data_); }

 private:
  std::string data_;
};

}  // namespace certherd::dns::responder
