namespace Herd.Contracts.Conversations;

/// <summary>How likely the model thought a token.</summary>
/// <param name="Bytes">The UTF-8 bytes that it stands for; a character may span tokens.</param>
/// <param name="LogProb">The natural logarithm of its probability, before penalties, temperature and filters.</param>
/// <param name="Likeliest">What would have been likeliest in its place, as many as were asked for; of these themselves, none.</param>
[GenerateSerializer, Immutable, Alias("herd.TokenChance")]
public sealed record TokenLogProbs(
    [property: Id(0)] byte[] Bytes, [property: Id(1)] float LogProb, [property: Id(2)] IReadOnlyList<TokenLogProbs> Likeliest);
