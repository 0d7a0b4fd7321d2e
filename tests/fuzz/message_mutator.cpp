// SPDX-License-Identifier: Apache-2.0
#include "message_mutator.h"

#include <google/protobuf/descriptor.pb.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "base/expected.h"

/// Of libFuzzer: changes bytes in place, also by what the program compared with what.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace ingot::fuzz {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::size_t most_messages = 4000;

/// Maps are lists of entries on the wire, and as such can hold a key twice.
void make_maps_lists(DescriptorProto& message) {
  message.mutable_options()->clear_map_entry();
  for (DescriptorProto& inner : *message.mutable_nested_type()) make_maps_lists(inner);
}

FileDescriptorProto read_schema(const std::string& path, const std::string& root) {
  std::ifstream file(path, std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  INGOT_CHECK(set.ParseFromIstream(&file) && set.file_size() > 0, "{} cannot be read", path);
  // What the file imports comes before it, and is of its package.
  FileDescriptorProto schema = set.file(set.file_size() - 1);
  for (int i = 0; i + 1 < set.file_size(); ++i)
    schema.mutable_message_type()->MergeFrom(set.file(i).message_type());
  schema.clear_dependency();
  schema.set_name("schema");
  schema.clear_options();
  for (DescriptorProto& message : *schema.mutable_message_type()) {
    make_maps_lists(message);
    if (message.name() != root) continue;
    FieldDescriptorProto& flags = *message.add_field();
    flags.set_name("flags");
    flags.set_number(1000);
    flags.set_label(FieldDescriptorProto::LABEL_REPEATED);
    flags.set_type(FieldDescriptorProto::TYPE_STRING);
  }
  return schema;
}

std::string key_of(const FieldDescriptor& field) {
  return field.containing_type()->name() + "." + field.name();
}

std::string text_of(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  return index < 0 ? reflection.GetString(message, &field)
                   : reflection.GetRepeatedString(message, &field, index);
}

}  // namespace

MessageMutator::MessageMutator(const std::string& descriptor, const std::string& root, Words words)
    : words_(std::move(words)) {
  google::protobuf::SetLogHandler(nullptr);  // it would print each text that is not UTF-8
  const auto* file = pool_.BuildFile(read_schema(descriptor, root));
  INGOT_CHECK(file != nullptr, "{} is no schema", descriptor);
  prototype_ = factory_.GetPrototype(file->FindMessageTypeByName(root));
}

std::unique_ptr<Message> MessageMutator::parse(const std::uint8_t* data, std::size_t size) const {
  std::unique_ptr<Message> message(prototype_->New());
  if (!message->ParsePartialFromArray(data, static_cast<int>(size))) return nullptr;
  return message;
}

std::size_t MessageMutator::mutate(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                   unsigned seed) {
  random_.seed(seed);
  const std::unique_ptr<Message> message = parse(data, size);
  if (message == nullptr || chance(2)) return LLVMFuzzerMutate(data, size, max_size);
  root_ = message.get();
  do {
    change(*message);
  } while (chance(40));
  root_ = nullptr;
  const std::size_t length = message->ByteSizeLong();
  if (length > max_size) return LLVMFuzzerMutate(data, size, max_size);
  message->SerializePartialToArray(data, static_cast<int>(length));
  return length;
}

std::size_t MessageMutator::cross(const std::uint8_t* a, std::size_t a_size, const std::uint8_t* b,
                                  std::size_t b_size, std::uint8_t* out, std::size_t max_size,
                                  unsigned seed) {
  random_.seed(seed);
  const std::unique_ptr<Message> message = parse(a, a_size);
  donor_ = parse(b, b_size);
  if (message == nullptr || donor_ == nullptr) return 0;
  root_ = message.get();
  if (chance(20)) {
    message->MergeFrom(*donor_);
  } else {
    do {
      change(*message);
    } while (chance(60));
  }
  root_ = nullptr;
  donor_.reset();
  const std::size_t length = message->ByteSizeLong();
  if (length > max_size) return 0;
  message->SerializePartialToArray(out, static_cast<int>(length));
  return length;
}

void MessageMutator::collect(const Message& message, std::vector<const Message*>& all) const {
  if (all.size() >= most_messages) return;
  all.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const Field*> fields;
  reflection.ListFields(message, &fields);
  for (const Field* field : fields) {
    if (field->cpp_type() != Field::CPPTYPE_MESSAGE) continue;
    if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i)
        collect(reflection.GetRepeatedMessage(message, field, i), all);
    } else {
      collect(reflection.GetMessage(message, field), all);
    }
  }
}

void MessageMutator::change(Message& root) {
  std::vector<const Message*> all;
  collect(root, all);
  // All of them are parts of `root`, which is ours to change.
  auto& message = const_cast<Message&>(*all[below(all.size())]);
  const auto& type = *message.GetDescriptor();
  if (type.field_count() == 0) return;
  std::vector<const Field*> fields;
  message.GetReflection()->ListFields(message, &fields);
  // Rather what is there already.
  const Field* field =
      !fields.empty() && chance(65)
          ? fields[below(fields.size())]
          : type.field(static_cast<int>(below(static_cast<std::size_t>(type.field_count()))));
  if (field->is_repeated()) {
    change_repeated(message, *field);
  } else {
    change_singular(message, *field);
  }
}

void MessageMutator::change_repeated(Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  const auto any = [&] { return static_cast<int>(below(static_cast<std::size_t>(size))); };
  const std::size_t way = below(10);
  if (size > 0 && way < 4) {
    set_value(message, field, any());
  } else if (size > 0 && way < 6) {
    reflection.SwapElements(&message, &field, any(), size - 1);
    reflection.RemoveLast(&message, &field);
  } else if (size > 1 && way == 6) {
    reflection.SwapElements(&message, &field, any(), any());
  } else {
    switch (field.cpp_type()) {
      case Field::CPPTYPE_MESSAGE: {
        Message* added = reflection.AddMessage(&message, &field, &factory_);
        if (chance(80)) become_another(*added);
        break;
      }
      case Field::CPPTYPE_STRING:
        reflection.AddString(&message, &field, "");
        break;
      case Field::CPPTYPE_INT32:
        reflection.AddInt32(&message, &field, 0);
        break;
      case Field::CPPTYPE_INT64:
        reflection.AddInt64(&message, &field, 0);
        break;
      case Field::CPPTYPE_UINT32:
        reflection.AddUInt32(&message, &field, 0);
        break;
      case Field::CPPTYPE_UINT64:
        reflection.AddUInt64(&message, &field, 0);
        break;
      case Field::CPPTYPE_FLOAT:
        reflection.AddFloat(&message, &field, 0);
        break;
      case Field::CPPTYPE_DOUBLE:
        reflection.AddDouble(&message, &field, 0);
        break;
      case Field::CPPTYPE_BOOL:
        reflection.AddBool(&message, &field, false);
        break;
      case Field::CPPTYPE_ENUM:
        return;
    }
    if (field.cpp_type() != Field::CPPTYPE_MESSAGE) set_value(message, field, size);
    // Somewhere in the list.
    if (chance(50)) {
      reflection.SwapElements(&message, &field, size,
                              static_cast<int>(below(static_cast<std::size_t>(size) + 1)));
    }
  }
}

void MessageMutator::change_singular(Message& message, const Field& field) {
  if (message.GetReflection()->HasField(message, &field) && chance(15)) {
    message.GetReflection()->ClearField(&message, &field);
  } else {
    set_value(message, field, -1);
  }
}

void MessageMutator::set_value(Message& message, const Field& field, int index) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_MESSAGE: {
      return become_another(*(one ? r.MutableMessage(&message, &field, &factory_)
                                  : r.MutableRepeatedMessage(&message, &field, index)));
    }
    case Field::CPPTYPE_STRING: {
      std::string text = text_for(field, text_of(message, field, index));
      if (one) return r.SetString(&message, &field, std::move(text));
      return r.SetRepeatedString(&message, &field, index, std::move(text));
    }
#define INGOT_SET(kind, name, change)                                                    \
  case Field::CPPTYPE_##kind: {                                                          \
    if (one) return r.Set##name(&message, &field, change(r.Get##name(message, &field))); \
    return r.SetRepeated##name(&message, &field, index,                                  \
                               change(r.GetRepeated##name(message, &field, index)));     \
  }
      INGOT_SET(INT32, Int32, [&](auto old) { return static_cast<std::int32_t>(integer(old)); })
      INGOT_SET(INT64, Int64, [&](auto old) { return integer(old); })
      INGOT_SET(UINT32, UInt32, [&](auto old) { return static_cast<std::uint32_t>(integer(old)); })
      INGOT_SET(UINT64, UInt64, [&](auto old) {
        return static_cast<std::uint64_t>(integer(static_cast<std::int64_t>(old)));
      })
      INGOT_SET(FLOAT, Float, [&](auto old) { return static_cast<float>(real(old)); })
      INGOT_SET(DOUBLE, Double, [&](auto old) { return real(old); })
      INGOT_SET(BOOL, Bool, [&](auto old) { return !old; })
#undef INGOT_SET
    case Field::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      const auto* value =
          type.value(static_cast<int>(below(static_cast<std::size_t>(type.value_count()))));
      if (one) return r.SetEnum(&message, &field, value);
      return r.SetRepeatedEnum(&message, &field, index, value);
    }
  }
}

std::int64_t MessageMutator::integer(std::int64_t old) {
  static constexpr std::int64_t usual[] = {
      0,     1,       2,         3,         4,         5,         6,         7,        8,
      9,     10,      11,        12,        13,        16,        18,        32,       64,
      255,   256,     1000,      -1,        -2,        -3,        -4,        127,      128,
      65536, 1 << 20, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 32, 1LL << 40};
  switch (below(6)) {
    case 0:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(old) + 1);
    case 1:
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(old) - 1);
    case 2:
      return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(old));
    case 3:
      return usual[below(8)];
    default:
      return usual[below(std::size(usual))];
  }
}

double MessageMutator::real(double old) {
  static constexpr double usual[] = {
      0,     -0.0, 1,    -1,     0.5,      2,
      3,     1e-5, 1e30, 1e39,   100,      -1e30,
      1e-40, 0.25, 1.25, -65536, HUGE_VAL, std::numeric_limits<double>::quiet_NaN()};
  if (chance(20)) return -old;
  return usual[below(std::size(usual))];
}

std::string MessageMutator::text_for(const Field& field, const std::string& old) {
  const std::string key = key_of(field);
  if (words_.names.count(key) != 0 && chance(85)) {
    std::vector<const Message*> all;
    collect(*root_, all);
    std::vector<std::string> found;
    for (const Message* message : all) {
      std::vector<const Field*> fields;
      message->GetReflection()->ListFields(*message, &fields);
      for (const Field* each : fields) {
        if (words_.names.count(key_of(*each)) == 0) continue;
        const int size =
            each->is_repeated() ? message->GetReflection()->FieldSize(*message, each) : 0;
        for (int i = each->is_repeated() ? 0 : -1; i < size; ++i)
          found.push_back(text_of(*message, *each, i));
      }
    }
    if (!found.empty()) {
      std::string name = found[below(found.size())];
      return chance(90) ? name : name + words_.suffixes[below(words_.suffixes.size())];
    }
  }
  if (const auto usual = words_.usual.find(key); usual != words_.usual.end() && chance(90))
    return usual->second[below(usual->second.size())];
  std::vector<std::uint8_t> bytes(old.begin(), old.end());
  // Data of tensors should be able to grow and shrink by whole numbers.
  if (chance(30)) {
    bytes.resize(chance(50) ? bytes.size() * 2 + 4 : bytes.size() / 2);
  } else {
    const std::size_t most = bytes.size() + 16;
    bytes.resize(most);
    bytes.resize(LLVMFuzzerMutate(bytes.data(), old.size(), most));
  }
  return {bytes.begin(), bytes.end()};
}

void MessageMutator::become_another(Message& part) {
  std::vector<const Message*> all, fitting;
  collect(*root_, all);
  if (donor_ != nullptr) collect(*donor_, all);
  for (const Message* message : all) {
    if (message != &part && message->GetDescriptor() == part.GetDescriptor())
      fitting.push_back(message);
  }
  if (fitting.empty()) return;
  const Message& other = *fitting[below(fitting.size())];
  const std::unique_ptr<Message> copy(other.New());  // it may hold the part
  copy->CopyFrom(other);
  part.CopyFrom(*copy);
}

}  // namespace ingot::fuzz
