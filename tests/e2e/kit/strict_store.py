#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A server that takes profiles as profile stores do, by the rules and limits that the stores document and their sources have: Pyroscope's
push.v1 (JSON), Parca's WriteRaw (JSON gateway) and OTLP's profiles (protobuf). What breaks a rule is refused, with the reason. It reads
protobuf by itself, so that heaptap's writers are not judged by the library that they use.

    strict_store.py [DIRECTORY]    serves on a free port of 127.0.0.1, and prints "port N"; the bodies that it gets, as they come, are put into
                                   DIRECTORY/1.body and so on

GET /figures: a line for each measure, "alloc_space 4000". What was allocated is added up over all profiles, what is in use is that of each
series' latest. GET /labels: a line for each series. GET /refused: the reasons. GET /profiles: how many were taken, how many
of them had more than one part, how many were rejected out of requests that were taken, and how many requests came once more: one whose
answer did not arrive in time is sent again, byte for byte, though it was taken. Its profiles count once here.
"""
import base64
import binascii
import gzip
import hashlib
import json
import re
import struct
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROFILE_BYTES = 4 << 20
SAMPLES = 16000
LABELS, NAME_BYTES, VALUE_BYTES, SAMPLE_LABELS = 30, 1024, 2048, 100
OLDEST_S, NEWEST_S = 3600, 600
REQUEST_BYTES = 64 << 20
MEASURES = {'alloc_objects': 'count', 'alloc_space': 'bytes', 'inuse_objects': 'count', 'inuse_space': 'bytes'}


class Refused(Exception):
    pass


def demand(met, reason):
    if not met:
        raise Refused(reason)


# --- protobuf ------------------------------------------------------------------------------------------------------------


def varint(data, at):
    value = shift = 0
    while True:
        demand(at < len(data) and shift < 70, 'a varint has no end')
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7


def fields(data):
    """Each field of a message: its number, and a number or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            demand(at + size <= len(data), 'a field is cut')
            value = int.from_bytes(data[at:at + size], 'little')
            at += size
        else:
            demand(kind == 2, f'wire type {kind}')
            size, at = varint(data, at)
            demand(at + size <= len(data), 'a field is cut')
            value = data[at:at + size]
            at += size
        yield key >> 3, value


def numbers(value):
    """A repeated number, packed or one of those that are not."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        found.append(number)
    return found


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def text(value):
    try:
        return value.decode('utf-8')
    except UnicodeDecodeError as error:
        raise Refused('invalid UTF-8') from error


class Message:
    """Fields by number, each a list."""

    def __init__(self, data):
        self.fields = {}
        for number, value in fields(data):
            self.fields.setdefault(number, []).append(value)

    def all(self, number):
        return self.fields.get(number, [])

    def one(self, number, default=0):
        return self.fields.get(number, [default])[-1]

    def packed(self, number):
        return [n for value in self.all(number) for n in numbers(value)]

    def messages(self, number):
        return [Message(value) for value in self.all(number)]


# --- pprof ---------------------------------------------------------------------------------------------------------------


def check_ids(messages, what):
    for place, message in enumerate(messages):
        demand(message.one(1) == place + 1, f'{what} id is not sequential')


def check_time(time_ns):
    age = time.time() - time_ns / 1e9
    demand(age <= OLDEST_S, 'profile is too old')
    demand(age >= -NEWEST_S, 'profile is from the future')


def read_pprof(raw):
    data = gzip.decompress(raw) if raw[:2] == b'\x1f\x8b' else raw
    demand(len(data) <= PROFILE_BYTES, f'the profile exceeds the size limit ({len(data)})')
    profile = Message(data)
    strings = [text(value) for value in profile.all(6)]
    demand(strings and strings[0] == '', 'first item in string table is not empty')
    mappings, locations, functions = (profile.messages(number) for number in (3, 4, 5))
    samples = profile.messages(2)
    demand(len(samples) <= SAMPLES, f'the profile exceeds the samples count limit ({len(samples)})')
    check_ids(mappings, 'mapping')
    check_ids(locations, 'location')
    check_ids(functions, 'function')
    for mapping in mappings:
        demand(mapping.one(5) < len(strings) and mapping.one(6) < len(strings), 'mapping has an invalid string')
    for function in functions:
        demand(all(function.one(number) < len(strings) for number in (2, 3, 4)), 'function has an invalid string')
        demand(strings[function.one(2)], 'function has no name')
    for location in locations:
        demand(location.one(2) <= len(mappings), 'location has an invalid mapping id')
        demand(location.all(4), 'location has no line')
        for line in location.messages(4):
            demand(0 < line.one(1) <= len(functions), 'location has an invalid function id')
    types = [(strings[kind.one(1)], strings[kind.one(2)]) for kind in profile.messages(1)]
    demand(types, 'missing sample type information')
    for name, unit in types:
        demand('-' not in name, 'sample type contains -')
        demand(MEASURES.get(name) == unit, f'sample type {name}/{unit} is not of a heap profile')
    sums = [0] * len(types)
    used, stacks = set(), set()
    for sample in samples:
        stack = tuple(sample.packed(1))
        values = [signed(value) for value in sample.packed(2)]
        demand(len(values) == len(types), 'sample has not as many values as there are types')
        demand(all(0 < location <= len(locations) for location in stack), 'sample has an invalid location id')
        demand(len(sample.all(3)) <= SAMPLE_LABELS, 'the profile exceeds the sample labels limit')
        key = (stack, tuple(sample.all(3)))
        demand(key not in stacks, 'two samples are of one stack')
        stacks.add(key)
        used.update(stack)
        sums = [total + value for total, value in zip(sums, values)]
    demand(len(used) == len(locations), 'a location is in no sample')
    period = profile.messages(11)
    demand(len(period) == 1 and strings[period[0].one(1)] == 'space', 'period type is not space')
    check_time(profile.one(9))
    return dict(zip((name for name, unit in types), sums)), profile.one(10)


# --- labels --------------------------------------------------------------------------------------------------------------


def check_labels(pairs, service):
    names = [name for name, value in pairs]
    demand(len(pairs) <= LABELS, f'{len(pairs)} label names; limit {LABELS}')
    demand(len(set(names)) == len(names), 'duplicate label name')
    labels = dict(pairs)
    for name, value in pairs:
        demand(isinstance(name, str) and isinstance(value, str), 'a label is no text')
        demand(re.fullmatch('[a-zA-Z_][a-zA-Z0-9_]*', name), f"invalid label name '{name}'")
        demand(len(name.encode()) <= NAME_BYTES, 'label name too long')
        demand(len(value.encode()) <= VALUE_BYTES, 'label value too long')
        demand('\ud800' not in value, 'invalid label value')
    demand(re.fullmatch('[a-zA-Z_:][a-zA-Z0-9_:]*', labels.get('__name__', '')), 'invalid metric name')
    if service:
        demand(labels.get('service_name'), 'service name is not provided')
    return labels


def raw_profile(sample):
    try:
        return base64.b64decode(sample['rawProfile'], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise Refused('rawProfile is no base64') from error


def take_raw(series, pairs, service):
    labels = check_labels([(pair['name'], pair['value']) for pair in pairs], service)
    demand(series['samples'], 'series has no samples')
    for sample in series['samples']:
        if service:
            try:
                uuid.UUID(sample['ID'])
            except (KeyError, ValueError) as error:
                raise Refused('ID is no UUID') from error
        sums, duration = read_pprof(raw_profile(sample))
        yield labels, sums, duration


def take_pyroscope(body):
    for series in json.loads(body)['series']:
        yield from take_raw(series, series['labels'], True)


def take_parca(body):
    for series in json.loads(body)['series']:
        yield from take_raw(series, series['labels']['labels'], False)


# --- OTLP ----------------------------------------------------------------------------------------------------------------


class Table:
    """A table of the dictionary: entry 0 is empty, no two are equal, and each of the others is used."""

    def __init__(self, name, entries, empty):
        demand(entries, f'{name} is empty')
        demand(entries[0] == empty, f'{name}[0] is not the zero value')
        demand(len(set(entries)) == len(entries), f'{name} has duplicates')
        self.name, self.entries, self.used = name, entries, {0}

    def use(self, index):
        demand(index < len(self.entries), f'index {index} is not in {self.name}')
        self.used.add(index)
        return self.entries[index]

    def close(self):
        demand(len(self.used) == len(self.entries), f'{self.name} has entries that nothing refers to')


class Dictionary:
    def __init__(self, message):
        self.strings = Table('string_table', message.all(5), b'')
        self.mappings = Table('mapping_table', message.all(1), b'')
        self.locations = Table('location_table', message.all(2), b'')
        self.functions = Table('function_table', message.all(3), b'')
        self.links = Table('link_table', message.all(4), b'')
        self.attributes = Table('attribute_table', message.all(6), b'')
        self.stacks = Table('stack_table', message.all(7), b'')

    def string(self, index):
        return text(self.strings.use(index))

    def check_mapping(self, mapping):
        self.string(mapping.one(4))
        for attribute in mapping.packed(5):
            attribute = Message(self.attributes.use(attribute))
            demand(self.string(attribute.one(1)), 'an attribute has no key')
            value = Message(attribute.one(2, b''))
            self.strings.used.update(place for place, string in enumerate(self.strings.entries) if string in value.all(1))

    def check(self):
        for stack in sorted(self.stacks.used):
            for location in Message(self.stacks.entries[stack]).packed(1):
                demand(location, 'a stack has location 0')
                self.locations.use(location)
        for entry in map(Message, self.locations.entries):
            self.mappings.use(entry.one(1))
            for line in entry.messages(3):
                demand(line.one(1), 'a line has no function')
                function = Message(self.functions.use(line.one(1)))
                demand(self.string(function.one(1)), 'a function has no name')
                self.string(function.one(2))
                self.string(function.one(3))
        for mapping in sorted(self.mappings.used):
            self.check_mapping(Message(self.mappings.entries[mapping]))
        for table in (self.strings, self.mappings, self.locations, self.functions, self.links, self.attributes, self.stacks):
            table.close()


def otlp_attributes(resource):
    labels = {}
    for attribute in resource.messages(1):
        name, value = text(attribute.one(1, b'')), attribute.messages(2)
        demand(name and value, 'an attribute has no key or no value')
        demand(name not in labels, 'attribute keys are not unique')
        labels[name] = text(value[0].one(1)) if value[0].all(1) else str(value[0].one(3))
    demand(labels.get('service.name'), 'no service.name')
    return labels


def otlp_profile(profile, dictionary, ids):
    kind, period = profile.messages(1), profile.messages(5)
    demand(len(kind) == 1 and len(period) == 1, 'a profile has not one sample type and one period type')
    name, unit = dictionary.string(kind[0].one(1)), dictionary.string(kind[0].one(2))
    demand(MEASURES.get(name) == unit, f'sample type {name}/{unit} is not of a heap profile')
    demand(dictionary.string(period[0].one(1)) == 'space' and dictionary.string(period[0].one(2)) == 'bytes',
           'period type is not space')
    identity = profile.one(7, b'')
    demand(len(identity) == 16 and identity.strip(b'\0') and identity not in ids, 'profile id is not 16 bytes of its own')
    ids.add(identity)
    check_time(profile.one(3))
    samples, total, stacks = profile.messages(2), 0, set()
    demand(0 < len(samples) <= SAMPLES, f'{len(samples)} samples')
    for sample in samples:
        values = sample.packed(4)
        demand(len(values) == 1 and not sample.all(5), 'a sample has not one value')
        demand(sample.one(1) not in stacks, 'two samples are of one stack')
        stacks.add(sample.one(1))
        dictionary.stacks.use(sample.one(1))
        total += signed(values[0])
    return {name: total}, profile.one(4)


def take_otlp(body):
    request = Message(body)
    dictionaries = request.messages(2)
    demand(len(dictionaries) == 1, 'no dictionary')
    dictionary, found, ids = Dictionary(dictionaries[0]), [], set()
    for series in request.messages(1):
        labels = otlp_attributes(series.messages(1)[0])
        for scope in series.messages(2):
            demand(text(scope.messages(1)[0].one(1, b'')) == 'heaptap', 'the scope has no name')
            found += [(labels, *otlp_profile(profile, dictionary, ids)) for profile in scope.messages(2)]
    dictionary.check()
    return found


# --- the server ----------------------------------------------------------------------------------------------------------

STORES = {
    '/push.v1.PusherService/Push': ('application/json', take_pyroscope),
    '/api/profiles/writeraw': ('application/json', take_parca),
    '/v1development/profiles': ('application/x-protobuf', take_otlp),
}


REJECTING = '/rejecting'  # before the path: a collector that does not take all of a request


class Kept:
    lock = threading.Lock()
    allocated, in_use = {}, {}
    series, refused, digests = set(), [], set()
    profiles = parts = rejected = repeated = bodies = 0


def is_repeated(body):
    digest = hashlib.sha256(body).digest()
    if digest in Kept.digests:
        Kept.repeated += 1
        return True
    Kept.digests.add(digest)
    return False


def keep(found):
    for labels, sums, duration in found:
        key = json.dumps(labels, sort_keys=True)
        Kept.series.add(key)
        Kept.profiles += 1
        Kept.parts += 'part' in labels
        for name, total in sums.items():
            delta = name.startswith('alloc_')
            demand(delta == (duration > 0), 'a difference has no duration, or a moment has one')
            if delta:
                Kept.allocated[name] = Kept.allocated.get(name, 0) + total
            else:
                Kept.in_use[name, key] = total


def put_varint(value):
    data = b''
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def reject(found, repeated):
    """Those that count objects are kept, the others are not; the answer says so, as OTLP has it."""
    kept = [row for row in found if not any(name.endswith('_space') for name in row[1])]
    rejected = len(found) - len(kept)
    Kept.rejected += 0 if repeated else rejected
    words = b'this store counts objects only'
    partial = b'\x08' + put_varint(rejected) + b'\x12' + put_varint(len(words)) + words
    return kept, b'\x0a' + put_varint(len(partial)) + partial


def figures():
    sums = dict(Kept.allocated)
    for (name, _), total in Kept.in_use.items():
        sums[name] = sums.get(name, 0) + total
    return ''.join(f'{name} {total}\n' for name, total in sorted(sums.items()))


def keep_body(body):
    if len(sys.argv) < 2:
        return
    with Kept.lock:
        Kept.bodies += 1
        with open(f'{sys.argv[1]}/{Kept.bodies}.body', 'wb') as file:
            file.write(body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind='text/plain'):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with Kept.lock:
            pages = {
                '/figures': figures,
                '/labels': lambda: ''.join(f'{series}\n' for series in sorted(Kept.series)),
                '/refused': lambda: ''.join(f'{reason}\n' for reason in Kept.refused),
                '/profiles': lambda: f'profiles {Kept.profiles}\nparts {Kept.parts}\nrejected {Kept.rejected}\n'
                                     f'repeated {Kept.repeated}\n',
            }
            page = pages.get(self.path)
            body = page().encode() if page else b''
        self.answer(200 if page else 404, body)

    def body(self):
        size = int(self.headers.get('Content-Length', -1))
        demand(0 <= size <= REQUEST_BYTES, 'no length, or too much')
        body = self.rfile.read(size)
        demand(len(body) == size, 'the body is cut')
        keep_body(body)
        return gzip.decompress(body) if self.headers.get('Content-Encoding') == 'gzip' else body

    def do_POST(self):
        try:
            body = self.body()
            path = self.path.removeprefix(REJECTING)
            demand(path in STORES, f'nothing is at {self.path}')
            kind, take = STORES[path]
            demand(self.headers.get('Content-Type') == kind, f'content type is not {kind}')
            found, answer = list(take(body)), b'' if 'protobuf' in kind else b'{}'
            with Kept.lock:
                repeated = is_repeated(body)
                if path != self.path:
                    found, answer = reject(found, repeated)
                if not repeated:
                    keep(found)
        except (Refused, KeyError, IndexError, TypeError, ValueError, OSError, EOFError, struct.error) as error:
            reason = str(error) if isinstance(error, Refused) else f'{type(error).__name__}: {error}'
            with Kept.lock:
                Kept.refused.append(reason)
            self.answer(400, json.dumps({'code': 'invalid_argument', 'message': reason}).encode(), 'application/json')
            return
        self.answer(200, answer, kind)


def main():
    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    print(f'port {server.server_address[1]}', flush=True)
    server.serve_forever()


if __name__ == '__main__':
    sys.exit(main())
