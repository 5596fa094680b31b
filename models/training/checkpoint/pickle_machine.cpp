// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/pickle_machine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "models/core/error.h"
#include "models/training/checkpoint/pickle_globals.h"

namespace talkface::checkpoint {
namespace {

using Kind = Value::Kind;

constexpr size_t kMaxValues = 2'000'000;
constexpr size_t kMaxItems = 10'000'000;
constexpr size_t kMaxNameBytes = 512;
constexpr uint64_t kMaxMemo = 2'000'000;
constexpr size_t kMaxStack = 100'000;
constexpr uint16_t kMaxDepth = 200;

class Machine {
 public:
  Machine(const std::string& name, std::string_view bytes, PickleCalls* calls, PickleHeap* heap)
      : name_(name), bytes_(bytes), calls_(calls), heap_(*heap) {}
  ValueId Run();

 private:
  using Step = void (Machine::*)();
  static const std::array<Step, 256>& Steps();

  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(Code::kBadPack, name_ + ": " + what + " (byte " + std::to_string(at_) + ").");
  }

  // 1. What follows an opcode.
  std::string_view Take(uint64_t count) {
    if (count > bytes_.size() - at_) Fail("it ends within a value: the file is damaged");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  template <typename Number>
  Number TakeNumber() {
    Number number;
    std::memcpy(&number, Take(sizeof number).data(), sizeof number);
    return number;
  }
  std::string_view TakeLine() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) Fail("it ends within a name: the file is damaged");
    const std::string_view line = Take(end - at_);
    ++at_;
    return line;
  }

  // 2. The stack.
  void PushId(ValueId id) {
    if (stack_.size() >= kMaxStack) Fail("more than 100000 values wait on its stack");
    stack_.push_back(id);
  }
  void Push(Value value) {
    if (heap_.values.size() >= kMaxValues) Fail("it holds more than 2000000 values");
    CountItems(value.items.size());
    for (ValueId item : value.items) value.depth = DepthAbove(value.depth, item);
    heap_.values.push_back(std::move(value));
    PushId(static_cast<ValueId>(heap_.values.size() - 1));
  }
  // Recalled lists may be copied again and again.
  void CountItems(size_t more) {
    items_ += more;
    if (items_ > kMaxItems) Fail("it holds more than 10000000 items in its lists and dicts");
  }
  void Push(Kind kind, int64_t number = 0, std::string_view text = {}) {
    Value value;
    value.kind = kind;
    value.number = number;
    value.text = text;
    Push(std::move(value));
  }
  ValueId Top() const {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) Fail("its stack runs empty");
    return stack_.back();
  }
  ValueId Pop() {
    const ValueId id = Top();
    stack_.pop_back();
    return id;
  }
  std::vector<ValueId> PopToMark() {
    if (marks_.empty()) Fail("a mark is missing on its stack");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<ValueId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<ValueId> PopSome(size_t count) {
    std::vector<ValueId> items(count);
    for (size_t i = count; i-- > 0;) items[i] = Pop();
    return items;
  }
  uint16_t DepthAbove(uint16_t depth, ValueId child) const {
    const auto above = static_cast<uint16_t>(heap_[child].depth + 1);
    if (above > kMaxDepth) Fail("it is nested deeper than 200 levels");
    return std::max(depth, above);
  }

  // 3. Building values.
  void PushSequence(Kind kind, std::vector<ValueId> items) {
    Value value;
    value.kind = kind;
    value.items = std::move(items);
    Push(std::move(value));
  }
  // Adds to a list or dict; an unknown object swallows what is added to it.
  void Extend(Kind wanted, const std::vector<ValueId>& items) {
    Value& target = heap_.values[Top()];
    if (target.kind == Kind::kUnknown) return;
    if (target.kind != wanted) Fail("it adds items to what is no container");
    if (wanted == Kind::kDict && items.size() % 2 != 0) Fail("a dict's key has no value");
    CountItems(items.size());
    for (ValueId item : items) target.depth = DepthAbove(target.depth, item);
    target.items.insert(target.items.end(), items.begin(), items.end());
  }
  void PushGlobal(std::string_view module, std::string_view name) {
    const size_t characters = module.size() + 1 + name.size();
    if (characters > kMaxNameBytes)
      Fail("it uses a name of " + std::to_string(characters) + " characters, at most 512 are read");
    std::string full = std::string(module) + "." + std::string(name);
    if (RunsCode(full)) {
      Fail("it names " + full +
           ", which could run programs on your machine: nothing was run, do not trust this file");
    }
    Push(Kind::kGlobal, 0, heap_.names.emplace_back(std::move(full)));
  }
  void PushCall(ValueId callable, ValueId arguments) {
    const Value& function = heap_[callable];
    if (heap_[arguments].kind != Kind::kTuple) Fail("a call has no list of arguments");
    if (function.kind == Kind::kGlobal) {
      Push(calls_->Call(&heap_, function.text, heap_[arguments].items));
    } else {
      Push(heap_.Unknown("an object"));
    }
  }
  void PushText(uint64_t bytes) { Push(Kind::kText, 0, Take(bytes)); }
  void PushBytes(uint64_t bytes) { Push(Kind::kBytes, 0, Take(bytes)); }
  void PushLong(uint64_t bytes) {
    const std::string_view digits = Take(bytes);
    if (digits.size() > 8) return Push(heap_.Unknown("a large integer"));
    const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
    int64_t number = negative ? -1 : 0;
    std::memcpy(&number, digits.data(), digits.size());
    Push(Kind::kInt, number);
  }
  void Remember(uint64_t slot) {
    if (slot >= kMaxMemo) Fail("it remembers more than 2000000 values");
    memo_[slot] = Top();
  }
  void Recall(uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) Fail("it recalls a value that it never remembered");
    PushId(found->second);
  }

  // 4. Opcodes, by pickletools' names.
  void Proto() {
    const int protocol = TakeNumber<uint8_t>();
    if (protocol < 2 || protocol > 5)
      Fail("pickle protocol " + std::to_string(protocol) + " is not read; wanted 2 to 5");
  }
  void Frame() {
    if (TakeNumber<uint64_t>() > bytes_.size() - at_) Fail("a frame reaches beyond its end");
  }
  void Stop() { stopped_ = true; }
  void Mark() {
    if (marks_.size() >= kMaxStack) Fail("more than 100000 marks wait on its stack");
    marks_.push_back(stack_.size());
  }
  void PopTop() {  // Python: the mark itself, if nothing lies on it
    if (!marks_.empty() && marks_.back() == stack_.size()) {
      marks_.pop_back();
    } else {
      Pop();
    }
  }
  void PopMark() { PopToMark(); }
  void None() { Push(Kind::kNone); }
  void True() { Push(Kind::kBool, 1); }
  void False() { Push(Kind::kBool, 0); }
  void BinInt() { Push(Kind::kInt, TakeNumber<int32_t>()); }
  void BinInt1() { Push(Kind::kInt, TakeNumber<uint8_t>()); }
  void BinInt2() { Push(Kind::kInt, TakeNumber<uint16_t>()); }
  void Long1() { PushLong(TakeNumber<uint8_t>()); }
  void Long4() { PushLong(TakeNumber<uint32_t>()); }
  void BinFloat() {
    Take(8);
    Push(heap_.Unknown("a number"));
  }
  void ShortBinUnicode() { PushText(TakeNumber<uint8_t>()); }
  void BinUnicode() { PushText(TakeNumber<uint32_t>()); }
  void BinUnicode8() { PushText(TakeNumber<uint64_t>()); }
  void ShortBinBytes() { PushBytes(TakeNumber<uint8_t>()); }
  void BinBytes() { PushBytes(TakeNumber<uint32_t>()); }
  void BinBytes8() { PushBytes(TakeNumber<uint64_t>()); }
  void EmptyTuple() { Push(Kind::kTuple); }
  void Tuple() { PushSequence(Kind::kTuple, PopToMark()); }
  void Tuple1() { PushSequence(Kind::kTuple, PopSome(1)); }
  void Tuple2() { PushSequence(Kind::kTuple, PopSome(2)); }
  void Tuple3() { PushSequence(Kind::kTuple, PopSome(3)); }
  void EmptyList() { Push(Kind::kList); }
  void Append() { Extend(Kind::kList, PopSome(1)); }
  void Appends() { Extend(Kind::kList, PopToMark()); }
  void EmptyDict() { Push(Kind::kDict); }
  void SetItem() { Extend(Kind::kDict, PopSome(2)); }
  void SetItems() { Extend(Kind::kDict, PopToMark()); }
  void EmptySet() { Push(heap_.Unknown("a set")); }
  void AddItems() { Extend(Kind::kUnknown, PopToMark()); }
  void FrozenSet() {
    PopToMark();
    Push(heap_.Unknown("a set"));
  }
  void Global() {
    const std::string_view module = TakeLine();
    PushGlobal(module, TakeLine());
  }
  void StackGlobal() {
    const Value &name = heap_[Pop()], &module = heap_[Pop()];
    if (name.kind != Kind::kText || module.kind != Kind::kText) Fail("a name is no text");
    PushGlobal(module.text, name.text);
  }
  void Reduce() {
    const ValueId arguments = Pop();
    PushCall(Pop(), arguments);
  }
  void NewObjEx() {  // class, arguments, keywords: these we have no use for
    Pop();
    Reduce();
  }
  void Build() {  // the state of an object: of a dict its attributes, of others what is not read
    Pop();
    Top();
  }
  void BinPersId() { Push(calls_->Persistent(&heap_, Pop())); }
  void BinPut() { Remember(TakeNumber<uint8_t>()); }
  void LongBinPut() { Remember(TakeNumber<uint32_t>()); }
  void Memoize() { Remember(memo_.size()); }
  void BinGet() { Recall(TakeNumber<uint8_t>()); }
  void LongBinGet() { Recall(TakeNumber<uint32_t>()); }

  std::string name_;
  std::string_view bytes_;
  PickleCalls* calls_;
  PickleHeap& heap_;
  size_t at_ = 0, items_ = 0;
  bool stopped_ = false;
  std::vector<ValueId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, ValueId> memo_;
};

const std::array<Machine::Step, 256>& Machine::Steps() {
  static const std::array<Step, 256> steps = [] {
    std::array<Step, 256> table{};
    const std::pair<int, Step> opcodes[] = {
        {0x80, &Machine::Proto},        {0x95, &Machine::Frame},
        {'.', &Machine::Stop},          {'(', &Machine::Mark},
        {'0', &Machine::PopTop},        {'1', &Machine::PopMark},
        {'N', &Machine::None},          {0x88, &Machine::True},
        {0x89, &Machine::False},        {'J', &Machine::BinInt},
        {'K', &Machine::BinInt1},       {'M', &Machine::BinInt2},
        {0x8a, &Machine::Long1},        {0x8b, &Machine::Long4},
        {'G', &Machine::BinFloat},      {0x8c, &Machine::ShortBinUnicode},
        {'X', &Machine::BinUnicode},    {0x8d, &Machine::BinUnicode8},
        {'C', &Machine::ShortBinBytes}, {'B', &Machine::BinBytes},
        {0x8e, &Machine::BinBytes8},    {0x96, &Machine::BinBytes8},
        {')', &Machine::EmptyTuple},    {'t', &Machine::Tuple},
        {0x85, &Machine::Tuple1},       {0x86, &Machine::Tuple2},
        {0x87, &Machine::Tuple3},       {']', &Machine::EmptyList},
        {'a', &Machine::Append},        {'e', &Machine::Appends},
        {'}', &Machine::EmptyDict},     {'s', &Machine::SetItem},
        {'u', &Machine::SetItems},      {0x8f, &Machine::EmptySet},
        {0x90, &Machine::AddItems},     {0x91, &Machine::FrozenSet},
        {'c', &Machine::Global},        {0x93, &Machine::StackGlobal},
        {'R', &Machine::Reduce},        {0x81, &Machine::Reduce},  // NEWOBJ: as inert as a call
        {0x92, &Machine::NewObjEx},     {'b', &Machine::Build},
        {'Q', &Machine::BinPersId},     {'q', &Machine::BinPut},
        {'r', &Machine::LongBinPut},    {0x94, &Machine::Memoize},
        {'h', &Machine::BinGet},        {'j', &Machine::LongBinGet},
    };
    for (const auto& [code, step] : opcodes) table[static_cast<size_t>(code)] = step;
    return table;
  }();
  return steps;
}

ValueId Machine::Run() {
  while (!stopped_) {
    const auto code = TakeNumber<uint8_t>();
    const Step step = Steps()[code];
    if (step == nullptr) {
      Fail("opcode " + std::to_string(code) +
           " is none that torch.save writes: damaged, or made by "
           "another program");
    }
    (this->*step)();
  }
  if (at_ != bytes_.size()) Fail("something follows its end");
  if (stack_.size() != 1 || !marks_.empty()) Fail("it does not end with one value");
  return stack_[0];
}

}  // namespace

ValueId RunPickle(const std::string& name, std::string_view bytes, PickleCalls* calls,
                  PickleHeap* heap) {
  return Machine(name, bytes, calls, heap).Run();
}

}  // namespace talkface::checkpoint
