using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Chat;
using Herd.Inference.Runtime;

namespace Herd.Grains.Nodes;

/// <summary>
/// Computes embeddings of texts, one request at a time. Its memory is allocated at the first request.
/// </summary>
internal sealed class TextEmbedder(ILlamaModel model, ChatTemplate template, int threads) : IDisposable
{
    private const int MaxTokens = 2048;

    private readonly SemaphoreSlim _turn = new(1);
    private ILlamaEmbedder? _embedder;

    /// <exception cref="HerdException">A text is empty or too long, or the runtime computes no embeddings.</exception>
    public async Task<Embeddings> Embed(IReadOnlyList<string> texts)
    {
        await _turn.WaitAsync();
        try
        {
            return await Task.Run(() => Make(texts));
        }
        catch (Exception e) when (e is DecodeException or ModelLoadException)
        {
            throw new HerdException(HerdError.Unavailable, e.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _embedder?.Dispose();
        _turn.Dispose();
    }

    private Embeddings Make(IReadOnlyList<string> texts)
    {
        _embedder ??= model.CreateEmbedder(Math.Min(MaxTokens, model.Info.ContextLength), threads)
            ?? throw new HerdException(
                HerdError.InvalidArgument,
                "This node's runtime computes no embeddings. Use nodes with the native runtime.",
                "model");
        var tokens = texts.Select((text, i) => Tokenize(text, i)).ToList();
        return new Embeddings([.. tokens.Select(text => _embedder.Embed(text))], tokens.Sum(text => text.Length));
    }

    private int[] Tokenize(string text, int index)
    {
        var tokens = SessionPrompt.Guard(() => template.Begin(text), "input");
        return tokens.Length == 0
            ? throw new HerdException(HerdError.InvalidArgument, $"'input[{index}]' is empty. Send a text.", "input")
            : tokens.Length <= _embedder!.MaxTokens ? tokens
            : throw new HerdException(
                HerdError.ContextOverflow,
                $"'input[{index}]' has {tokens.Length} tokens. Send at most {_embedder.MaxTokens}.",
                "input")
                .With("prompt_tokens", tokens.Length)
                .With("context_tokens", _embedder.MaxTokens);
    }
}
