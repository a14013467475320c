"""Traced arrays: like NumPy's they can be written into, and views of them share their entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from adcli_methods.indexing import last_writes, split_index
from adcli_methods.primitive import Primitive, Value, shape_of
from adcli_methods.primitives import structural as s
from adcli_methods.tracer import Tracer, dispatch
from adcli_methods.user_code import trace_error

if TYPE_CHECKING:
    from adcli_methods.trace import Trace

_Key = tuple[int, ...]


class ArrayTracer(Tracer):
    """A traced array: a variable whose slot changes when it is written into.

    A view keeps the array it was taken from (`base`) and how (`view`, `parameters`): writing into the view
    writes through, and a view whose base was written into since is taken anew. Writes of single entries or
    rows are gathered in `pending` and become one operation when the whole array is read, so that a loop that
    fills an array costs linear time.
    """

    __slots__ = ("base", "parameters", "pending", "seen", "version", "view")

    def __init__(self, trace: Trace, slot: int, value: Value) -> None:
        super().__init__(trace, slot, value)
        self.base: ArrayTracer | None = None
        self.view: Primitive | None = None
        self.parameters: dict[str, Any] = {}
        self.pending: dict[_Key, Value] = {}
        self.version = 0
        self.seen = 0

    def highest(self, other: Any) -> Any:
        self.settle()
        return super().highest(other)

    def snapshot(self) -> Tracer:
        """This array as it is now, unmoved by later writes."""
        self.settle()
        return self.value if self.trace.level < 0 else ArrayTracer(self.trace, self.slot, self.value)

    def settle(self) -> None:
        """Bring slot and value up to date."""
        base = self.base
        if base is not None and base.current_version() != self.seen and self.view is not None:
            anew = base.entry(self.parameters["index"]) if self._is_row else self.view(base, **self.parameters)
            self._become(anew)
            self.seen = base.version
            self.version += 1
        if self.pending:
            self._flush()

    def current_version(self) -> int:
        """A number that changes with each write into this array or the one that it is a view of."""
        if self.base is not None and self.base.current_version() != self.seen:
            self.settle()
        return self.version

    def _become(self, other: Value) -> None:
        if isinstance(other, Tracer):
            self.trace, self.slot, self.value = other.trace, other.slot, other.value
        else:
            self.trace, self.slot, self.value = dispatch().NO_TRACE, -1, other

    def _flush(self) -> None:
        pending, self.pending = self.pending, {}
        keys, rows = list(pending), list(pending.values())
        if len(keys) == 1:
            self._become(s.index_update(self, rows[0], index=keys[0]))
            return
        arrays = [np.array(column) for column in zip(*keys, strict=True)]
        self._become(s.index_update(self, s.pile(rows), *arrays, index=(s.ARRAY,) * len(arrays)))

    @property
    def shape(self) -> Any:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> Any:
        return len(self.value.shape)

    @property
    def size(self) -> Any:
        return int(np.prod(self.value.shape))

    def __len__(self) -> int:
        return int(self.value.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _key(self, index: Any) -> _Key | None:
        """The entry or row that an index of whole numbers names, counted from 0."""
        items = index if type(index) is tuple else (index,)
        shape = self.value.shape
        if len(items) > len(shape):
            return None
        key = []
        for item, length in zip(items, shape, strict=False):
            if type(item) is not int and not isinstance(item, np.integer):
                return None
            position = int(item) + length if item < 0 else int(item)
            if not 0 <= position < length:
                raise IndexError(f"index {item} is out of bounds for an axis of size {length}")
            key.append(position)
        return tuple(key)

    def __getitem__(self, index: Any) -> Any:
        key = self._key(index)
        if key is not None and self.pending:
            taken = self.entry(key)
            return self._as_view(taken, key) if shape_of(taken) else taken
        return self.take_view(s.getitem, *split_index(index, self.shape))

    def entry(self, index: Any) -> Value:
        """An entry or row, read past the pending writes into other ones, so that these need not be gathered."""
        key = self._key(index) or ()
        if self.pending:
            depth = len(next(iter(self.pending)))
            written = self.pending.get(key[:depth])
            if written is not None and len(key) >= depth:
                return written if len(key) == depth else s.getitem(written, index=key[depth:])
            if len(key) >= depth:
                return s.getitem(ArrayTracer(self.trace, self.slot, self.value), index=key)
        return s.getitem(self, index=key)

    @property
    def _is_row(self) -> bool:
        base, index = self.base, self.parameters.get("index")
        return base is not None and bool(base.pending) and bool(index) and base._key(index) is not None

    def _as_view(self, row: Value, key: _Key) -> Any:
        known = row if isinstance(row, Tracer) else dispatch().buffer(row)
        if not isinstance(known, ArrayTracer):
            return known
        taken = ArrayTracer(known.trace, known.slot, known.value)
        taken.base, taken.view, taken.parameters, taken.seen = self, s.getitem, {"index": key}, self.version
        return taken

    def take_view(self, view: Primitive, arrays: tuple[Value, ...], parameters: dict[str, Any]) -> Any:
        """Apply a structural primitive; where NumPy's result would share memory, so does this one."""
        self.settle()
        taken = view(self, *arrays, **parameters)
        if not arrays and isinstance(taken, ArrayTracer):
            taken.base, taken.view, taken.parameters = self, view, parameters
            taken.seen = self.version
        return taken

    def __setitem__(self, index: Any, value: Value) -> None:
        if self.dtype.kind != "f" and isinstance(value, Tracer):
            raise trace_error(
                f"a traced value is written into an array of {self.dtype}, which would lose its derivative",
                "make the array one of floats",
            )
        if isinstance(value, ArrayTracer):
            value = value.snapshot()
        elif not isinstance(value, Tracer) and not isinstance(value, (int, float)):
            value = _as_array(value)
        if index is Ellipsis and shape_of(value) == self.shape and getattr(value, "dtype", None) == self.dtype:
            self.assign(value)
            return
        key = self._key(index)
        if key and self.base is None and shape_of(value) == self.shape[len(key) :]:
            if self.pending and len(next(iter(self.pending))) != len(key):
                self.settle()
            self.pending[key] = value
            self.version += 1
            return
        self.settle()
        arrays, parameters = split_index(index, self.shape)
        updated = last_writes(self, value, arrays, **parameters) if arrays else None
        self.assign(s.index_update(self, value, *arrays, **parameters) if updated is None else updated)

    def assign(self, updated: Value) -> None:
        """Take on new entries, and write them through to the array that this is a view of."""
        before = self.value
        self._become(updated)
        self.version += 1
        base = self.base
        if base is None:
            self.value = _laid_as(before, self.value)
            return
        now = self.snapshot()
        if self.view is s.getitem:
            base[self.parameters["index"]] = now
        elif self.view is s.reshape:
            base.assign(s.reshape(now, shape=base.shape))
        elif self.view is s.transpose:
            base.assign(s.transpose(now, axes=tuple(int(i) for i in np.argsort(self.parameters["axes"]))))
        self.seen = base.version

    def _in_place(self, result: Value) -> Any:
        if shape_of(result) != self.shape:
            raise ValueError(f"in-place result of shape {shape_of(result)} does not fit the array's {self.shape}")
        if self.dtype.kind != "f" and result.dtype.kind == "f":
            raise trace_error(
                f"a result of {result.dtype} is written into an array of {self.dtype}", "make a new array: a = a + x"
            )
        self[...] = result
        return self

    def __iadd__(self, other: Value) -> Any:
        return self._in_place(self + other)

    def __isub__(self, other: Value) -> Any:
        return self._in_place(self - other)

    def __imul__(self, other: Value) -> Any:
        return self._in_place(self * other)

    def __itruediv__(self, other: Value) -> Any:
        return self._in_place(self / other)

    def __ipow__(self, other: Value) -> Any:
        return self._in_place(self**other)

    def __ifloordiv__(self, other: Value) -> Any:
        return self._in_place(self // other)

    def __imod__(self, other: Value) -> Any:
        return self._in_place(self % other)

    def __imatmul__(self, other: Value) -> Any:
        return self._in_place(self @ other)

    def __iand__(self, other: Value) -> Any:
        return self._in_place(self & other)

    def __ior__(self, other: Value) -> Any:
        return self._in_place(self | other)

    def __array__(self, *args: Any, **keywords: Any) -> Any:
        if self.trace.level < 0:
            self.settle()
            return np.array(self.value, dtype=args[0] if args else None)
        return super().__array__(*args, **keywords)

    def __index__(self) -> int:
        raise TypeError("only integer scalar arrays can be converted to a scalar index")

    def __int__(self) -> int:
        if self.size != 1:
            raise TypeError("only length-1 arrays can be converted to Python scalars")
        return int(s.reshape(self, shape=()))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError("the truth of an array with several entries is ambiguous: use .any() or .all()")
        return bool(s.reshape(self, shape=()))

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def copy(self, order: str = "C") -> Any:
        """A copy whose entries are its own, and lie in rows unless asked otherwise."""
        self.settle()
        value = self.value
        if type(value) is np.ndarray and not (value.flags.c_contiguous or (order != "C" and value.flags.f_contiguous)):
            value = value.copy("C" if order == "C" else "K")
        return ArrayTracer(self.trace, self.slot, value)

    def __repr__(self) -> str:
        return f"Tracer({self.value!r})"


def _as_array(value: Any) -> Value:
    plain = isinstance(value, (np.ndarray, np.generic)) and value.dtype != object
    return np.array(value) if plain else dispatch().assembled(value)


def _laid_as(before: Value, after: Value) -> Value:
    """New entries in the order in memory of the old ones, by which NumPy tells views from copies."""
    if type(before) is not np.ndarray or type(after) is not np.ndarray or after.flags.c_contiguous:
        return after
    return np.ascontiguousarray(after) if before.flags.c_contiguous else after
