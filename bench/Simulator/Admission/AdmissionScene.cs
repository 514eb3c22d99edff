namespace Herd.Simulator.Admission;

/// <summary>A load for <see cref="AdmissionRun"/>: the users, and the nodes that serve them.</summary>
/// <param name="Name">The name.</param>
/// <param name="Nodes">The number of nodes.</param>
/// <param name="Users">Makes the users of a seed.</param>
internal sealed record AdmissionScene(string Name, int Nodes, Func<Random, IReadOnlyList<AdmissionScene.User>> Users)
{
    private const double Length = 60;

    /// <summary>The scenes of the bound of the prediction's error.</summary>
    public static IReadOnlyList<AdmissionScene> All { get; } =
    [
        new("chats beside long prompts", 1, random => [.. Chats(random, 6, "a"), .. Readers(random, 2, "a")]),
        new("many users", 2, random => [.. Single(random, 220)]),
        new("warm sessions", 1, random => [.. Chats(random, 24, "a")]),
        new("full queue", 1, random => [.. Waves(random, 4, 40)]),
        new("tenants with long prompts", 1, random =>
            [.. Readers(random, 1, "a"), .. Readers(random, 1, "b"), .. Chats(random, 6, "c")]),
    ];

    /// <summary>Any load, for what must hold under all of them.</summary>
    public static AdmissionScene Any { get; } = new("any", 1, random =>
    [
        .. Chats(random, random.Next(12), "a"),
        .. Readers(random, random.Next(4), "a"),
        .. Readers(random, random.Next(4), "b"),
        .. Single(random, random.Next(100)),
        .. Waves(random, random.Next(3), random.Next(1, 30)),
    ]);

    /// <summary>A conversation. Times are in seconds.</summary>
    internal sealed record User(string Tenant, double Begin, IReadOnlyList<Turn> Turns);

    /// <summary>A message and its answer, in tokens, and the pause after it.</summary>
    internal sealed record Turn(int Said, int Answer, double Pause);

    /// <summary>Conversations of many turns with short messages.</summary>
    private static List<User> Chats(Random random, int count, string tenant) =>
        Many(count, () => new User(
            tenant,
            random.NextDouble() * 10,
            [.. Many(12, () => new Turn(random.Next(10, 120), random.Next(16, 96), 1 + (random.NextDouble() * 5)))]));

    /// <summary>Users who send one long prompt after another, each in a new conversation.</summary>
    private static IEnumerable<User> Readers(Random random, int count, string tenant) =>
        Many(count, () => random.NextDouble() * 10).SelectMany(begin => Many(
            4,
            i => new User(tenant, begin + (i * Length / 4), [new Turn(random.Next(2000, 7000), 48, 0)])));

    /// <summary>Conversations of one turn that begin at random.</summary>
    private static List<User> Single(Random random, int count) =>
        Many(count, () => new User(
            "a", random.NextDouble() * Length, [new Turn(random.Next(50, 600), random.Next(16, 96), 0)]));

    /// <summary>More users at the same moment than there are slots.</summary>
    private static IEnumerable<User> Waves(Random random, int waves, int count) =>
        Many(waves, wave => Many(count, () => new User(
            "a", (wave * Length / 4) + random.NextDouble(), [new Turn(random.Next(50, 300), random.Next(16, 96), 0)])))
        .SelectMany(users => users);

    private static List<T> Many<T>(int count, Func<T> make) => Many(count, _ => make());

    private static List<T> Many<T>(int count, Func<int, T> make) => [.. Enumerable.Range(0, count).Select(make)];
}
