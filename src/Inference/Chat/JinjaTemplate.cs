using System.Collections.Concurrent;
using System.Numerics;

namespace Herd.Inference.Chat;

/// <summary>
/// A Jinja template, rendered by @huggingface/jinja in interpreters with limits. The template comes with a model file
/// and is not trusted. Thread-safe: each rendering takes an interpreter of its own from a pool.
/// </summary>
internal sealed class JinjaTemplate : IDisposable
{
    /// <summary>Limits of renderings double up to 2^10 times.</summary>
    private const int Sizes = 11;

    private readonly string _source;
    private readonly TemplateOptions _options;
    private readonly ConcurrentBag<JinjaEngine>[] _pools =
        [.. Enumerable.Range(0, Sizes).Select(_ => new ConcurrentBag<JinjaEngine>())];

    /// <exception cref="TemplateException">The template cannot be parsed, or is too large.</exception>
    public JinjaTemplate(string source, TemplateOptions options)
    {
        if (source.Length > options.Characters)
        {
            throw new TemplateException(
                $"The chat template has {source.Length} characters; at most {options.Characters} are read.");
        }

        (_source, _options) = (source, options);
        _pools[0].Add(new JinjaEngine(source, options, 1));
    }

    /// <summary>Renders the template.</summary>
    /// <param name="variables">The variables of the template, as JSON.</param>
    /// <param name="messages">The number of messages and functions in it.</param>
    /// <exception cref="TemplateException">
    /// The template rejected the variables, failed or exceeded its limits.
    /// </exception>
    public string Render(string variables, int messages)
    {
        var size = Math.Min(Sizes - 1, Math.Max(
            Doublings(messages, _options.Messages), Doublings(variables.Length, _options.TextCharacters)));
        var pool = _pools[size];
        var engine = pool.TryTake(out var idle) ? idle : new JinjaEngine(_source, _options, 1 << size);
        string rendered;
        try
        {
            rendered = engine.Render(variables);
        }
        catch
        {
            // It may hold what the template made before it failed.
            engine.Dispose();
            throw;
        }

        if (pool.Count < Environment.ProcessorCount)
        {
            pool.Add(engine);
        }
        else
        {
            engine.Dispose();
        }

        return rendered;
    }

    public void Dispose()
    {
        foreach (var engine in _pools.SelectMany(pool => pool))
        {
            engine.Dispose();
        }
    }

    /// <summary>The doublings after which the unit is not less than the size.</summary>
    private static int Doublings(int size, int unit)
    {
        var units = (uint)((size + unit - 1L) / unit);
        return units <= 1 ? 0 : BitOperations.Log2(units - 1) + 1;
    }
}
