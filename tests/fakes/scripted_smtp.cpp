#include "fakes/scripted_smtp.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <string_view>

#include "crypto/encoding.hpp"

namespace certherd::fakes {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Up to and with `end`; empty when the client has gone.
template <typename Stream>
std::string read_to(Stream& stream, std::string& received, std::string_view end) {
  boost::system::error_code error;
  const auto size = asio::read_until(stream, asio::dynamic_buffer(received), end, error);
  if (error) return {};
  auto text = received.substr(0, size);
  received.erase(0, size);
  return text;
}

template <typename Stream>
bool write(Stream& stream, const std::string& line) {
  boost::system::error_code error;
  asio::write(stream, asio::buffer(line + "\r\n"), error);
  return !error;
}

std::string between(const std::string& line, char begin, char end) {
  const auto from = line.find(begin) + 1;
  return line.substr(from, line.find(end, from) - from);
}

/// "\0user\0password" in base64 as "user password" (RFC 4616).
std::string login_of(const std::string& encoded) {
  auto text = crypto::from_base64(encoded).value_or("");
  if (!text.empty()) text.erase(0, 1);
  std::ranges::replace(text, '\0', ' ');
  return text;
}

/// RFC 5321 section 4.5.2.
std::string unstuffed(std::string text) {
  for (auto at = text.find("\r\n.."); at != std::string::npos; at = text.find("\r\n..", at + 3)) {
    text.erase(at + 2, 1);
  }
  if (text.starts_with("..")) text.erase(0, 1);
  return text;
}

}  // namespace

ScriptedSmtp::ScriptedSmtp(Options options)
    : options_(std::move(options)),
      acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  if (!options_.chain_pem.empty()) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(options_.chain_pem));
    tls_->use_private_key(asio::buffer(options_.key_pem), asio::ssl::context::pem);
  }
  threads_.emplace_back([this] { accept(); });
}

ScriptedSmtp::~ScriptedSmtp() {
  ending_.count_down();
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  threads_.front().join();  // from here on no socket is added
  for (auto& socket : sockets_) ::shutdown(socket.native_handle(), SHUT_RDWR);
  threads_.pop_front();
  for (auto& thread : threads_) thread.join();
}

std::vector<ScriptedSmtp::Mail> ScriptedSmtp::mails() const {
  const std::lock_guard lock(mutex_);
  return mails_;
}

std::vector<std::string> ScriptedSmtp::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

void ScriptedSmtp::accept() {
  boost::system::error_code error;
  while (true) {
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (error) return;
    auto& kept = sockets_.emplace_back(std::move(socket));
    threads_.emplace_back([this, &kept] { serve(kept); });
  }
}

void ScriptedSmtp::serve(tcp::socket& socket) {
  const bool upgrade = options_.tls_from_start || talk(socket, false);
  if (upgrade && tls_) {
    asio::ssl::stream<tcp::socket&> stream(socket, *tls_);
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    if (!error) talk(stream, true);
  }
  ::shutdown(socket.native_handle(), SHUT_RDWR);
}

template <typename Stream>
bool ScriptedSmtp::talk(Stream& stream, bool encrypted) {
  std::string received;
  Mail mail;
  mail.encrypted = encrypted;
  // After STARTTLS there is no greeting.
  const bool greets = !encrypted || options_.tls_from_start;
  if (greets && !write(stream, "220 scripted")) return false;
  while (true) {
    const auto line = read_to(stream, received, "\r\n");
    if (line.empty()) return false;
    const auto command = line.substr(0, line.find_first_of(" \r"));
    auto about = command;
    if (command == "RCPT") about += " " + between(line, '<', '>');
    std::string answer = "250 fine";
    if (command == "EHLO") {
      answer = "250-scripted\r\n";
      if (tls_ && !encrypted) answer += "250-STARTTLS\r\n";
      answer += "250 AUTH PLAIN";
    }
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(command);
    }
    const auto own = [this](const std::string& key) {
      const auto found = options_.answers.find(key);
      return found == options_.answers.end() ? std::nullopt : std::optional(found->second);
    };
    const auto hang = [this](const std::string& key) {
      if (options_.hang_at != key) return;
      std::call_once(hangs_, [this] { hanging_.count_down(); });
      ending_.wait();
    };
    hang(command);
    if (const auto scripted = own(about)) {
      if (scripted->empty() || !write(stream, *scripted)) return false;
      continue;
    }
    if (command == "STARTTLS") return write(stream, "220 go on");
    if (command == "QUIT") {
      write(stream, "221 bye");
      return false;
    }
    if (command == "AUTH") {
      if (!write(stream, "334 ")) return false;
      auto secret = read_to(stream, received, "\r\n");
      secret.resize(secret.size() - std::min<std::size_t>(secret.size(), 2));
      mail.login = login_of(secret);
      answer = mail.login == options_.login ? "235 welcome" : "535 5.7.8 wrong password";
    } else if (command == "MAIL") {
      mail.from = between(line, '<', '>');
      mail.to.clear();
      if (mail.login != options_.login) answer = "530 5.7.0 log in first";
    } else if (command == "RCPT") {
      mail.to.push_back(between(line, '<', '>'));
    } else if (command == "DATA") {
      if (!write(stream, "354 go on")) return false;
      mail.text = unstuffed(read_to(stream, received, "\r\n.\r\n"));
      if (mail.text.empty()) return false;
      mail.text.resize(mail.text.size() - 3);
      {
        const std::lock_guard lock(mutex_);
        mails_.push_back(mail);
      }
      hang(".");
      if (const auto scripted = own(".")) {
        if (scripted->empty()) return false;
        answer = *scripted;
      }
    }
    if (!write(stream, answer)) return false;
  }
}

}  // namespace certherd::fakes
