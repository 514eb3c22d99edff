namespace Herd.FuzzModels;

/// <summary>
/// Hyperparameters of small models, one bag that suits most architectures: an architecture reads the keys that it
/// knows. llama.cpp itself makes the tensors for them (<see cref="Native"/>).
/// </summary>
internal static class ArchitectureHeaders
{
    public const uint Layers = 4;

    private static readonly string[] LatentAttention =
    [
        "deepseek2", "deepseek32", "glm-dsa", "dots3note", "kimi-linear", "bailingmoe3", "kimi-k3", "mistral4", "hy_v4",
        "deepseek2-ocr",
    ];

    private static readonly string[] AlternatingHeads =
    [
        "plamo2", "jamba", "nemotron_h", "nemotron_h_moe", "granitehybrid", "lfm2", "lfm2moe", "kimi-linear",
        "bailingmoe3", "kimi-k3",
    ];

    private static readonly string[] ListedWindows =
    [
        "cohere2moe", "mimo2", "step35", "spark2_5", "muse-glimmer", "granite_swa", "dots3note", "maple", "gemma4",
    ];

    private static readonly Dictionary<string, uint> Numbers = new()
    {
        ["vocab_size"] = Vocabularies.Tokens,
        ["context_length"] = 256,
        ["embedding_length"] = 256,
        ["features_length"] = 256,
        ["leading_dense_block_count"] = 1,
        ["feed_forward_length"] = 384,
        ["time_mix_extra_dim"] = 64,
        ["time_decay_extra_dim"] = 128,
        ["full_attention_interval"] = 2,
        ["attention.head_count"] = 2,
        ["attention.head_count_kv"] = 2,
        ["attention.group_norm_groups"] = 8,
        ["attention.q_lora_rank"] = 512,
        ["attention.kv_lora_rank"] = 512,
        ["attention.decay_lora_rank"] = 64,
        ["attention.iclr_lora_rank"] = 64,
        ["attention.value_residual_mix_lora_rank"] = 32,
        ["attention.gate_lora_rank"] = 64,
        ["attention.relative_buckets_count"] = 8,
        ["attention.sliding_window"] = 32,
        ["attention.sliding_window_pattern"] = 2,
        ["attention.indexer.head_count"] = 64,
        ["attention.indexer.key_length"] = 128,
        ["attention.indexer.top_k"] = 64,
        ["attention.indexer.block_size"] = 4,
        ["attention.indexer.local_blocks"] = 1,
        ["ssm.inner_size"] = 512,
        ["ssm.conv_kernel"] = 4,
        ["ssm.state_size"] = 128,
        ["ssm.time_step_rank"] = 2,
        ["ssm.group_count"] = 2,
        ["kda.head_dim"] = 128,
        ["wkv.head_size"] = 128,
        ["token_shift_count"] = 2,
        ["shortconv.l_cache"] = 3,
        ["attn_res.block_size"] = 12,
        ["hyper_connection.count"] = 4,
        ["hyper_connection.sinkhorn_iterations"] = 2,
        ["hyper_connection.low_rank"] = 8,
        ["hrm.layers_per_stack"] = 1,
        ["hrm.h_cycles"] = 1,
        ["hrm.l_cycles"] = 3,
        ["num_loops"] = 1,
        ["posnet.embedding_length"] = 256,
        ["posnet.block_count"] = Layers,
        ["convnext.embedding_length"] = 256,
        ["convnext.block_count"] = Layers,
    };

    private static readonly Dictionary<string, uint> Experts = new()
    {
        ["expert_feed_forward_length"] = 384,
        ["expert_shared_feed_forward_length"] = 192,
        ["expert_chunk_feed_forward_length"] = 192,
        ["expert_latent_length"] = 384,
        ["moe_latent_size"] = 384,
        ["interleave_moe_layer_step"] = 2,
        ["moe_every_n_layers"] = 2,
        ["expert_count"] = 4,
        ["expert_used_count"] = 2,
        ["expert_shared_count"] = 1,
        ["expert_gating_func"] = 2,
        ["experts_per_group"] = 1,
    };

    private static readonly Dictionary<string, float> Fractions = new()
    {
        ["logit_scale"] = 1,
        ["attention.max_alibi_bias"] = 8,
        ["attention.clamp_kqv"] = 1,
        ["attention.layer_norm_epsilon"] = 1e-5f,
        ["attention.layer_norm_rms_epsilon"] = 1e-5f,
        ["attention.group_norm_epsilon"] = 1e-5f,
        ["attention.compress_rope_freq_base"] = 160_000,
        ["residual_scale"] = 3.5f,
        ["embedding_scale"] = 1,
        ["activation.situ_beta"] = 4,
        ["activation.situ_linear_beta"] = 25,
        ["kda.gate_lower_bound"] = -5,
        ["hyper_connection.epsilon"] = 1e-6f,
        ["hyper_connection.magnitude"] = 2,
        ["swiglu_clamp_exp"] = 7,
        ["swiglu_clamp_shexp"] = 7,
        ["expert_weights_scale"] = 1,
        ["expert_group_scale"] = 1,
        ["rope.freq_base"] = 10_000,
        ["rope.freq_base_swa"] = 10_000,
    };

    /// <summary>A header without tensors.</summary>
    public static GgufDraft Create(string architecture, bool experts)
    {
        var draft = new GgufDraft().Set("general.architecture", GgufValue.From(architecture));
        foreach (var (key, value) in experts ? Numbers.Concat(Experts) : Numbers)
        {
            draft.Set($"{architecture}.{key}", GgufValue.From(value));
        }

        foreach (var (key, value) in Fractions)
        {
            draft.Set($"{architecture}.{key}", GgufValue.From(value));
        }

        foreach (var key in new[] { "alpha_n", "alpha_p", "beta", "eps" })
        {
            draft.Set($"xielu.{key}", GgufValue.From(1f));
        }

        draft.Set($"{architecture}.use_parallel_residual", GgufValue.From(false))
            .Set($"{architecture}.expert_weights_norm", GgufValue.From(true))
            .Set($"{architecture}.kda.safe_gate", GgufValue.From(true))
            .Set($"{architecture}.rope.dimension_sections", List([32, 32, 32, 32]));
        SetExceptions(draft, architecture);
        return Vocabularies.Set(draft, "test");
    }

    /// <summary>Tensors of each layer that llama.cpp makes but does not write.</summary>
    public static IEnumerable<(string Name, long[] Shape)> UnsavedTensors(string architecture, int layer) =>
        (architecture, layer % 2) switch
        {
            ("phi3", _) => [("attn_qkv.weight", [256, 768])],
            ("falcon-h1", _) or ("granitehybrid", 1) => [("ssm_conv1d.bias", [1024])],
            ("qwen3next" or "qwen35" or "qwen35moe", 0) =>
                [("attn_qkv.weight", [256, 768]), ("attn_gate.weight", [256, 256])],
            _ => [],
        };

    /// <summary>What single architectures need beside the common bag.</summary>
    private static void SetExceptions(GgufDraft draft, string architecture)
    {
        var layers = architecture switch { "gemma3n" => 22u, "gemma4" => 5u, "nemotron_h" => 3u, _ => Layers };
        Number("block_count", layers);
        if (AlternatingHeads.Contains(architecture))
        {
            draft.Set($"{architecture}.attention.head_count", List(Each(layers, layer => layer % 2 == 1 ? 0u : 2)));
            draft.Set($"{architecture}.attention.head_count_kv", List(Each(layers, layer => layer % 2 == 1 ? 0u : 2)));
        }

        if (ListedWindows.Contains(architecture))
        {
            draft.Set($"{architecture}.attention.sliding_window_pattern", List(Each(layers, layer => layer % 2)));
        }

        if (LatentAttention.Contains(architecture))
        {
            Number("embedding_length", 128);
            Number("attention.key_length", 576);
            Number("attention.value_length", 512);
            Number("attention.key_length_mla", 192);
            Number("attention.value_length_mla", 128);
            Number("rope.dimension_count", 64);
            if (!AlternatingHeads.Contains(architecture))
            {
                Number("attention.head_count", 1);
                Number("attention.head_count_kv", 1);
            }

            draft.Set($"{architecture}.attention.indexer.types", List(Each(layers, layer => 1 - layer % 2)));
        }

        switch (architecture)
        {
            case "deepseek4":
                Number("embedding_length", 512);
                Number("attention.head_count", 8);
                Number("attention.head_count_kv", 1);
                Number("attention.key_length", 64);
                Number("attention.value_length", 64);
                Number("rope.dimension_count", 32);
                Number("attention.q_lora_rank", 64);
                Number("attention.output_group_count", 8);
                Number("attention.output_lora_rank", 32);
                Number("expert_gating_func", 4);
                Number("hash_layer_count", 0);
                draft.Set($"{architecture}.attention.compress_ratios", List([0, 0, 4, 128]));
                break;
            case "dots3note":
                Number("attention.kv_lora_rank_swa", 512);
                Number("attention.key_length_swa", 576);
                Number("attention.value_length_swa", 512);
                Number("attention.key_length_mla_swa", 192);
                Number("attention.value_length_mla_swa", 128);
                break;
            case "gemma4":
                Number("embedding_length_per_layer_input", 128);
                Number("attention.shared_kv_layers", 0);
                Number("attention.key_length_swa", 128);
                Number("attention.value_length_swa", 128);
                break;
            case "minimax-m3":
                Number("rope.dimension_count", 64);
                Number("attention.indexer.head_count", 2);
                break;
            case "arwkv7" or "rwkv6qwen2":
                Number("token_shift_count", 1);
                break;
            case "plamo2":
                Number("ssm.group_count", 0);
                break;
            case "nemotron_h" or "nemotron_h_moe":
                draft.Set($"{architecture}.feed_forward_length", List(Each(layers, layer => layer < 2 ? 0u : 384)));
                break;
            case "hrm_text":
                Number("hrm.h_cycles", 1);
                break;
            case "qwen3next" or "qwen35" or "qwen35moe" or "qwen4exp":
                Number("ssm.inner_size", 256);
                break;
            case "bert" or "nomic-bert" or "nomic-bert-moe" or "jina-bert-v2" or "jina-bert-v3":
                draft.Set("tokenizer.ggml.token_type_count", GgufValue.From(2u));
                break;
        }

        void Number(string key, uint value) => draft.Set($"{architecture}.{key}", GgufValue.From(value));
    }

    private static uint[] Each(uint layers, Func<uint, uint> value) =>
        [.. Enumerable.Range(0, (int)layers).Select(layer => value((uint)layer))];

    private static GgufValue List(uint[] numbers) =>
        GgufValue.FromNumbers(GgufValue.U32, numbers.Select(number => (ulong)number));
}
