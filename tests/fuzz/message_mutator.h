// SPDX-License-Identifier: Apache-2.0
// Changes protobuf messages as messages, so that a fuzzer gets past the parser: fields are set,
// dropped, repeated, and take values from elsewhere in the message. The schema is read at run time
// from what protoc makes of its .proto file, because the generated classes have no reflection.
#pragma once

#include <google/protobuf/dynamic_message.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ingot::fuzz {

class MessageMutator {
 public:
  struct Words {
    /// What a text field usually says, by "Message.field".
    std::map<std::string, std::vector<std::string>> usual;
    /// Fields that call things by the names that the others of them give.
    std::set<std::string> names;
    /// What may stand behind such a name.
    std::vector<std::string> suffixes;
  };

  /// Of the message called `root` in a file of protoc's --descriptor_set_out, which is given one
  /// more field of texts, `flags`, that importers skip: options for the import
  /// (import_case.h).
  MessageMutator(const std::string& descriptor, const std::string& root, Words words);

  /// As LLVMFuzzerCustomMutator. What cannot be parsed is changed byte by byte.
  std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
  /// As LLVMFuzzerCustomCrossOver: the first message with parts of the second.
  std::size_t cross(const std::uint8_t* a, std::size_t a_size, const std::uint8_t* b,
                    std::size_t b_size, std::uint8_t* out, std::size_t max_size, unsigned seed);

 private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  std::unique_ptr<Message> parse(const std::uint8_t* data, std::size_t size) const;
  std::size_t below(std::size_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

  void change(Message& root);
  void change_repeated(Message& message, const Field& field);
  void change_singular(Message& message, const Field& field);
  /// A new value at `index` of a repeated field, or of a field that is not (-1).
  void set_value(Message& message, const Field& field, int index);
  std::string text_for(const Field& field, const std::string& old);
  std::int64_t integer(std::int64_t old);
  double real(double old);
  /// Makes a part a copy of another one of its type, of the current message or of the donor.
  void become_another(Message& part);
  void collect(const Message& message, std::vector<const Message*>& all) const;

  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  const Message* prototype_ = nullptr;
  Words words_;
  std::mt19937_64 random_;
  const Message* root_ = nullptr;
  std::unique_ptr<Message> donor_;
};

}  // namespace ingot::fuzz
