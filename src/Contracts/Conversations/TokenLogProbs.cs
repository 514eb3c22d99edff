namespace Herd.Contracts.Conversations;

/// <summary>A token's log probability by the model.</summary>
/// <param name="Bytes">The token's UTF-8 bytes; a character may span tokens.</param>
/// <param name="LogProb">The natural logarithm of its probability, before penalties, temperature and filters.</param>
/// <param name="Likeliest">
/// The likeliest tokens at this position, as many as were requested. Their own lists are empty.
/// </param>
[GenerateSerializer, Immutable, Alias("herd.TokenChance")]
public sealed record TokenLogProbs(
    [property: Id(0)] byte[] Bytes,
    [property: Id(1)] float LogProb,
    [property: Id(2)] IReadOnlyList<TokenLogProbs> Likeliest);
