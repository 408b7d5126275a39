#include "dns/responder/wire.hpp"

#include <algorithm>

namespace certherd::dns::responder {

std::string encode_name(const Fqdn& name) {
  std::string wire;
  std::string_view rest = name.text();
  while (!rest.empty()) {
    const auto label = rest.substr(0, rest.find('.'));
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  wire.push_back('\0');
  return wire;
}

std::string_view Reader::take(std::size_t size) {
  if (size > rest_.size()) {
    failed_ = true;
    rest_ = {};
    return {};
  }
  const auto taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t Reader::u8() {
  const auto taken = take(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken.front());
}

std::uint16_t Reader::u16() {
  const unsigned high = u8();
  return static_cast<std::uint16_t>((high << 8U) | u8());
}

std::uint32_t Reader::u32() {
  const std::uint32_t high = u16();
  return (high << 16U) | u16();
}

void Writer::u8(unsigned value) { data_.push_back(static_cast<char>(value & 0xFFU)); }

void Writer::u16(unsigned value) {
  u8(value >> 8U);
  u8(value);
}

void Writer::u32(std::uint32_t value) {
  u16(value >> 16U);
  u16(value);
}

}  // namespace certherd::dns::responder
