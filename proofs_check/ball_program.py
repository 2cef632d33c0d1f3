"""A sympy tree as a straight-line program on Arb balls.

Each node becomes one instruction with a rigorous rule, shared nodes are computed once, and what
does not depend on an integration variable is computed outside the integral. Rationals stay exact
until they become balls at the working precision.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from flint import acb, arb, ctx, fmpq, fmpz

from theory import symbols
from theory.operators import GaussianExpectation, GeometricSum, Kept, TimeIntegral

Ball = arb | acb

NAN = arb("nan")

#: With a coarse goal, an integral that misses it after so many evaluations is left as it is.
_COARSE_EVALUATIONS = 2000


#: Denominators of exponents, and how many square roots each one takes.
_ROOTS = {2: 1, 4: 2}


class NotEnclosable(Exception):
    """The expression holds something that there is no rigorous rule for."""


@dataclass(frozen=True, slots=True)
class NoiseAtom:
    """One time of a discrete τ: its mass, and the signal and squared noise level there."""

    mu: arb
    sigma2: arb
    weight: arb


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run may depend on besides its inputs."""

    tolerance: float | None = None
    atoms: tuple[NoiseAtom, ...] | None = None
    analytic: bool = False


Rule = Callable[[Settings, Sequence[Ball]], Ball]


@dataclass(slots=True)
class Program:
    """Instructions in order; slot k holds input k, the slots after the inputs the results."""

    inputs: tuple[sp.Basic, ...]
    instructions: list[tuple[Rule | None, Callable[..., Ball] | None, tuple[int, ...]]] = field(
        default_factory=list
    )
    outputs: tuple[int, ...] = ()

    def run(self, values: Sequence[Ball], settings: Settings) -> list[Ball]:
        """Run on balls for the inputs; return the outputs."""
        slots = list(values)
        append = slots.append
        for rule, plain, arguments in self.instructions:
            if plain is not None:
                append(plain(*(slots[k] for k in arguments)))
            else:
                append(rule(settings, [slots[k] for k in arguments]))  # type: ignore[misc]
        return [slots[k] for k in self.outputs]


def compile_program(expressions: Sequence[sp.Expr], inputs: Sequence[sp.Basic]) -> Program:
    """Compile expressions in the given input symbols.

    Raises
    ------
    NotEnclosable
        If some node has no rigorous rule, or a symbol is not an input.
    """
    builder = _Builder(tuple(inputs))
    exact = [sp.sympify(expression) for expression in expressions]
    for kept in parts_first(exact, builder.slots):
        if isinstance(kept, Kept):  # from the inside out, so that no recursion gets deep
            builder.slot(kept)
    outputs = tuple(builder.slot(sp.sympify(expression)) for expression in expressions)
    builder.program.outputs = outputs
    return builder.program


def parts_first(expressions: Sequence[sp.Basic], known: Container[sp.Basic]) -> Iterator[sp.Basic]:
    """Yield every node that is not known, once, each after its parts; without recursion."""
    seen: set[sp.Basic] = set()
    todo = [(expression, False) for expression in reversed(expressions)]
    while todo:
        node, ready = todo.pop()
        if ready:
            yield node
        elif node not in seen and node not in known:
            seen.add(node)
            todo.append((node, True))
            todo += ((part, False) for part in reversed(node.args))


class _Builder:
    def __init__(self, inputs: tuple[sp.Basic, ...]) -> None:
        self.program = Program(inputs)
        self.slots: dict[sp.Basic, int] = {node: k for k, node in enumerate(inputs)}

    def slot(self, node: sp.Basic) -> int:
        if node not in self.slots:
            self.slots[node] = self._emit_node(node)
        return self.slots[node]

    def _plain(self, function: Callable[..., Ball], *arguments: int) -> int:
        return self._append(None, function, arguments)

    def _rule(self, rule: Rule, *arguments: int) -> int:
        return self._append(rule, None, arguments)

    def _append(
        self,
        rule: Rule | None,
        function: Callable[..., Ball] | None,
        arguments: tuple[int, ...],
    ) -> int:
        self.program.instructions.append((rule, function, arguments))
        return len(self.program.inputs) + len(self.program.instructions) - 1

    def _emit_node(self, node: sp.Basic) -> int:
        if isinstance(node, sp.Rational):
            numerator, denominator = int(node.p), int(node.q)
            return self._plain(lambda: arb(fmpq(numerator, denominator)))
        if node is sp.pi:
            return self._plain(arb.pi)
        if node is sp.E:
            return self._plain(lambda: arb(1).exp())
        if isinstance(node, sp.Add):
            return self._chain(operator.add, node.args)
        if isinstance(node, sp.Mul):
            return self._chain(operator.mul, node.args)
        if isinstance(node, sp.Pow):
            return self._power(node)
        if node.func in _ENTIRE:
            return self._plain(_ENTIRE[node.func], self.slot(node.args[0]))
        if node.func in _RULES:
            return self._rule(_RULES[node.func], *map(self.slot, node.args))
        if isinstance(node, GaussianExpectation):
            return self._gaussian(node)
        if isinstance(node, sp.Integral):
            return self._integral(node)
        if isinstance(node, Kept):
            return self.slot(node.inside)
        if isinstance(node, TimeIntegral):
            return self._over_time(node)
        raise NotEnclosable(f"no rigorous rule for {node.func.__name__}: {node}")

    def _chain(self, function: Callable[..., Ball], nodes: Sequence[sp.Basic]) -> int:
        first, *rest = (self.slot(node) for node in nodes)
        for other in rest:
            first = self._plain(function, first, other)
        return first

    def _power(self, node: sp.Pow) -> int:
        base = self.slot(node.base)
        is_root = node.exp.is_Rational and (node.exp.is_Integer or node.exp.q in _ROOTS)
        if not is_root:
            known = bool(node.base.is_nonnegative)

            def rule(settings: Settings, values: Sequence[Ball]) -> Ball:
                return _general_power(settings, values[0], values[1], known=known)

            return self._rule(rule, base, self.slot(node.exp))
        if node.exp.is_Integer:
            exponent = int(node.exp)
        else:
            exponent = int(node.exp.p)
            for _ in range(_ROOTS[node.exp.q]):
                base = self._rule(_root_of_known_sign if node.base.is_nonnegative else _root, base)
        if exponent == 1:
            return base
        return self._plain(lambda x: integer_power(x, exponent), base)

    def _inner(self, node: sp.Expr, variables: Sequence[sp.Symbol]) -> tuple[Program, list[int]]:
        """Compile an integrand; its inputs are the variables and the parts free of them."""
        constants = list(dict.fromkeys(_constant_parts(node, frozenset(variables))))
        program = compile_program([node], [*variables, *constants])
        return program, [self.slot(part) for part in constants]

    def _gaussian(self, node: GaussianExpectation) -> int:
        program, constants = self._inner(node.integrand, [node.variable])
        powers, coefficients = _tail_polynomial(node.integrand, node.variable)
        tails = [self.slot(c) for c in coefficients]
        count = len(constants)

        def rule(settings: Settings, values: Sequence[Ball]) -> Ball:
            return _gaussian_mean(program, values[:count], powers, values[count:], settings)

        return self._rule(rule, *constants, *tails)

    def _integral(self, node: sp.Integral) -> int:
        if len(node.limits) != 1 or len(node.limits[0]) != 3:
            raise NotEnclosable(f"not a definite integral in one variable: {node}")
        variable, low, high = node.limits[0]
        if any(mean.has(variable) for mean in node.function.atoms(GaussianExpectation)):
            raise NotEnclosable("an integral of Gaussian expectations over their parameter")
        program, constants = self._inner(node.function, [variable])

        def rule(settings: Settings, values: Sequence[Ball]) -> Ball:
            def integrand(point: acb, analytic: bool) -> acb:
                inner = Settings(settings.tolerance, settings.atoms, analytic)
                return acb(program.run([point, *values[2:]], inner)[0])

            return integrate(integrand, values[0], values[1], settings.tolerance)

        return self._rule(rule, self.slot(low), self.slot(high), *constants)

    def _over_time(self, node: TimeIntegral) -> int:
        program, constants = self._inner(node.integrand, [symbols.mu, symbols.sigma2])

        def rule(settings: Settings, values: Sequence[Ball]) -> Ball:
            if settings.atoms is None:
                raise NotEnclosable("an integral over time, and no measure of time")
            total: Ball = arb(0)
            for atom in settings.atoms:
                total += atom.weight * program.run([atom.mu, atom.sigma2, *values], settings)[0]
            return total

        return self._rule(rule, *constants)


def _constant_parts(node: sp.Basic, variables: frozenset[sp.Symbol]) -> list[sp.Basic]:
    """Return the largest parts of a tree that hold none of the variables, free or bound."""
    if not node.has(*variables):
        return [node]
    if isinstance(node, GaussianExpectation):
        variables = variables | {node.variable}
    children = [child for child in node.args if child not in variables]
    return [part for child in children for part in _constant_parts(child, variables)]


def _log(settings: Settings, values: Sequence[Ball]) -> Ball:
    (argument,) = values
    if isinstance(argument, acb):
        if _is_real(argument) and not settings.analytic:
            return acb(_log(settings, [argument.real]))
        return argument.log(analytic=settings.analytic)
    return argument.log() if argument > 0 else NAN


def _is_real(value: acb) -> bool:
    """Whether a complex ball lies on the real line, as it does on the path of an integral.

    There a root or logarithm off its domain has to be undefined, not complex: its real part would
    be a finite ball around nothing.
    """
    return bool(value.imag == 0)


def _root(settings: Settings, values: Sequence[Ball]) -> Ball:
    (base,) = values
    if isinstance(base, acb):
        if _is_real(base) and not settings.analytic:
            return acb(_root(settings, [base.real]))
        return base.sqrt(analytic=settings.analytic)
    return base.sqrt() if base >= 0 else NAN


def _root_of_known_sign(settings: Settings, values: Sequence[Ball]) -> Ball:
    """Take a root whose argument is >= 0 by its symbols' own domains, however wide its ball."""
    (base,) = values
    if isinstance(base, acb):
        return _root(settings, values)
    return NAN if base < 0 else _root(settings, [base.nonnegative_part()])


def _general_power(settings: Settings, base: Ball, exponent: Ball, *, known: bool) -> Ball:
    """Return ``base**exponent`` for a base > 0, or for a base >= 0 and an exponent > 0.

    ``known`` says that the base is >= 0 by its symbols' own domains, however wide its ball.
    """
    if isinstance(base, arb) and isinstance(exponent, arb):
        return _real_power(base, exponent, known=known)
    base, exponent = acb(base), acb(exponent)
    if _is_real(base) and _is_real(exponent) and not settings.analytic:
        return acb(_real_power(base.real, exponent.real, known=known))
    return (exponent * base.log(analytic=settings.analytic)).exp()


def _real_power(base: arb, exponent: arb, *, known: bool) -> arb:
    if not (base.is_finite() and exponent.is_finite()):
        return NAN
    if base > 0:
        return (exponent * base.log()).exp().nonnegative_part()
    if base < 0 or not (exponent > 0 and (known or base >= 0)):
        return NAN
    # The base is in [0, top], where the power grows from zero with the base.
    top = base.upper()
    if not top > 0:
        return arb(0)
    return arb(0).union((exponent * top.log()).exp()).nonnegative_part()


def _gamma(settings: Settings, values: Sequence[Ball]) -> Ball:
    return values[0].gamma()  # not finite on a ball that meets a pole


def _factorial(settings: Settings, values: Sequence[Ball]) -> Ball:
    return (values[0] + 1).gamma()


def _loggamma(settings: Settings, values: Sequence[Ball]) -> Ball:
    """Take the logarithm of gamma where it is real; the cut on the left is never met."""
    (argument,) = values
    if isinstance(argument, acb):
        return argument.lgamma() if argument.real > 0 else acb(NAN)
    return argument.lgamma() if argument > 0 else NAN


def _binomial(settings: Settings, values: Sequence[Ball]) -> Ball:
    """Γ(n + 1) / (Γ(k + 1) Γ(n - k + 1)); 1/Γ is entire, and n > -1 keeps off the poles of Γ."""
    n, k = values
    if not (n.real if isinstance(n, acb) else n) > -1:
        return NAN
    return (n + 1).gamma() * (k + 1).rgamma() * (n - k + 1).rgamma()


def _abs(settings: Settings, values: Sequence[Ball]) -> Ball:
    (argument,) = values
    if isinstance(argument, acb):
        return argument.real_abs(analytic=settings.analytic)
    return abs(argument)


def _max(settings: Settings, values: Sequence[Ball]) -> Ball:
    result, *rest = values
    for other in rest:
        if isinstance(result, acb) or isinstance(other, acb):
            result = acb(result).real_max(acb(other), analytic=settings.analytic)
        else:
            result = result.max(other)
    return result


def _min(settings: Settings, values: Sequence[Ball]) -> Ball:
    return -_max(settings, [-value for value in values])


def _geometric_sum(settings: Settings, values: Sequence[Ball]) -> Ball:
    """Sum 1 + q + … + q^(K−1) by doubling: S(2n) = S(n)(1 + q^n) and S(n + 1) = 1 + q S(n)."""
    ratio, count = values
    whole = count.unique_fmpz() if isinstance(count, arb) else None
    if whole is None or whole < 0:
        return NAN
    total: Ball = arb(0)
    power: Ball = arb(1)
    for digit in bin(int(whole))[2:]:
        total, power = total * (1 + power), power * power
        if digit == "1":
            total, power = 1 + ratio * total, power * ratio
    return total


#: Functions that are analytic on the whole plane, or have poles only: Arb's own rules are enough.
_ENTIRE: dict[type[sp.Basic], Callable[[Ball], Ball]] = {
    sp.exp: lambda x: x.exp(),
    sp.tanh: lambda x: x.tanh(),
    sp.cosh: lambda x: x.cosh(),
    sp.sinh: lambda x: x.sinh(),
    sp.cos: lambda x: x.cos(),
    sp.sin: lambda x: x.sin(),
    sp.erf: lambda x: x.erf(),
}

_RULES: dict[type[sp.Basic], Rule] = {
    sp.log: _log,
    sp.gamma: _gamma,
    sp.factorial: _factorial,
    sp.loggamma: _loggamma,
    sp.binomial: _binomial,
    sp.Abs: _abs,
    sp.Max: _max,
    sp.Min: _min,
    GeometricSum: _geometric_sum,
}


def integer_power(base: Ball, exponent: int) -> Ball:
    """Return ``base**exponent`` for an integer exponent.

    Arb's general power takes a logarithm, which is undefined on a ball that meets zero, so this
    multiplies; even powers of real balls are cut to the nonnegative numbers.
    """
    if exponent < 0:
        return 1 / integer_power(base, -exponent)
    result: Ball = arb(1)
    for _ in range(exponent):
        result = result * base
    if exponent % 2 == 0 and isinstance(result, arb):
        return result.nonnegative_part()
    return result


def integrate(
    function: Callable[[acb, bool], acb], low: Ball, high: Ball, tolerance: float | None
) -> arb:
    """Integrate rigorously; the goal steers the work, the ball is right in any case."""
    goal: dict[str, Any] = {}
    if tolerance is not None:
        goal = {"rel_tol": tolerance, "eval_limit": _COARSE_EVALUATIONS}
    value = acb.integral(function, acb(low), acb(high), **goal)
    return value.real if value.is_finite() else NAN


def _gaussian_mean(
    program: Program,
    constants: Sequence[Ball],
    powers: Sequence[int],
    coefficients: Sequence[Ball],
    settings: Settings,
) -> arb:
    radius = arb(fmpz(2 * ctx.prec)).sqrt().ceil()

    def weighted(point: acb, analytic: bool) -> acb:
        inner = Settings(settings.tolerance, settings.atoms, analytic)
        return acb(program.run([point, *constants], inner)[0]) * (-(point * point) / 2).exp()

    body = integrate(weighted, -radius, radius, settings.tolerance) / (2 * arb.pi()).sqrt()
    tail = arb(0)
    for power, coefficient in zip(powers, coefficients, strict=True):
        half = arb(fmpq(power + 1, 2))
        moment = (radius * radius / 2).gamma_upper(half) * arb(2) ** arb(fmpq(power, 2))
        tail += abs(coefficient) * moment / arb.pi().sqrt()
    return body + arb(0, 1) * tail.upper() if tail.is_finite() else NAN


def _tail_polynomial(integrand: sp.Expr, z: sp.Symbol) -> tuple[list[int], list[sp.Expr]]:
    """Bound |f(z)| on the real line by Σ |coefficient| |z|^power, for the tails of E f(Z).

    f has to be a polynomial in z and in hyperbolic tangents of polynomials in z, which are real on
    the line. There |tanh| <= 1, so each monomial is at most its power of |z| times its coefficient.
    """
    bounded = {node: sp.Dummy(real=True) for node in integrand.atoms(sp.tanh) if node.has(z)}
    if not all(node.args[0].is_polynomial(z) for node in bounded):
        raise NotEnclosable(f"no tail bound for {integrand}")
    try:
        polynomial = sp.Poly(sp.expand(integrand.xreplace(bounded)), z, *bounded.values())
    except sp.PolynomialError as error:
        raise NotEnclosable(f"no tail bound for {integrand}") from error
    terms = polynomial.terms()
    if any(coefficient.has(z) for _, coefficient in terms):
        raise NotEnclosable(f"no tail bound for {integrand}")
    return [monomial[0] for monomial, _ in terms], [coefficient for _, coefficient in terms]
